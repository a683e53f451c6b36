"""What a failed exchange means: httpx's exceptions in our words. Pure. Layer: http.

No text of the HTTP library goes into ours: it may quote what a server sent.
"""

from __future__ import annotations

import errno
import socket
import ssl
from collections.abc import Iterator

from homelab.errors import HomelabError, Unreachable, WrongService
from homelab.http import tls
from homelab.http.ask import Ask
from homelab.http.lean import httpx
from homelab.http.retry import Passing

NOT_TLS = ("WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "HTTP_REQUEST", "UNKNOWN_PROTOCOL", "PACKET_LENGTH_TOO_LONG")
NO_WAY = {errno.EHOSTUNREACH, errno.ENETUNREACH, errno.EHOSTDOWN, errno.ENETDOWN}
LOOK = "homelab doctor"


def translate(ask: Ask, error: Exception, *, proxied: bool = False, late: bool = False) -> Passing | HomelabError:
    """Return what to raise for ``error``: our final error, or one that may pass.

    ``late``: we cut the connection ourselves because the time was up.
    """
    sent = not isinstance(error, httpx.ConnectError | httpx.ConnectTimeout | httpx.PoolTimeout | httpx.ProxyError)
    causes = list(_causes(error))
    for cause in causes:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return tls.refused(ask, cause)
        if isinstance(cause, ssl.SSLError) and not sent:
            return _handshake(ask, cause)
        if isinstance(cause, socket.gaierror):
            return _unknown_name(ask, cause, proxied=proxied)
    if late:
        error = httpx.ReadTimeout("")
    number = next((cause.errno for cause in causes if isinstance(cause, OSError) and cause.errno), None)
    what, why, reason = _words(ask, error, number, proxied=proxied)
    if ask.writes and sent:
        why += "; the request was sent and may have taken effect"
    return Passing(Unreachable(what, why=why, fix=LOOK), reason, sent=sent)


def _words(ask: Ask, error: Exception, number: int | None, *, proxied: bool) -> tuple[str, str, str]:
    """Return what happened, why, and the few words of a retry."""
    through = "the environment's proxy" if proxied else ask.address
    server = f"{ask.name} at {ask.where}"
    if isinstance(error, httpx.ProxyError):
        said = ask.clean(str(error))
        words = f"the environment's proxy gives no way to {ask.where}", said, f"the proxy said {said}"
    elif isinstance(error, httpx.ConnectTimeout | httpx.PoolTimeout):
        words = f"{ask.where} does not answer", f"no connection to {through} in time", "no connection in time"
    elif isinstance(error, httpx.TimeoutException):
        words = f"{server} is silent", f"connected, but no answer to {ask.shown} in time", "no answer in time"
    elif number == errno.ECONNREFUSED:
        words = f"{ask.where} refuses the connection", f"nothing listens on {through}", "connection refused"
    elif number in NO_WAY:
        words = f"there is no way to {ask.where}", f"no route to {through} from here", "no route"
    elif isinstance(error, httpx.ConnectError):
        words = f"{ask.where} cannot be reached", f"no connection to {through}", "no connection"
    elif isinstance(error, httpx.DecodingError):
        words = f"{server} answered garbage", "the body does not decode", "undecodable answer"
    else:
        words = f"{server} cut the connection", f"no whole answer to {ask.shown}", "connection cut"
    return words


def _unknown_name(ask: Ask, error: socket.gaierror, *, proxied: bool) -> Passing:
    what = f"the name in {ask.where} cannot be resolved"
    about = "the environment's proxy" if proxied else ask.address
    why = f"DNS for {about}: {ask.clean(error.strerror or 'no answer')}"
    fix = f"correct the url, or set dial of {ask.name} to the load balancer's address; then: homelab doctor"
    return Passing(Unreachable(what, why=why, fix=fix), "name not resolved", few=True, sent=False)


def _handshake(ask: Ask, error: ssl.SSLError) -> Passing | WrongService:
    said = (error.reason or "handshake failed").replace("_", " ").lower()
    if error.reason in NOT_TLS:
        return WrongService(
            f"{ask.where} does not speak TLS",
            why=f"{ask.address}: {said}",
            fix="correct dial, its port or the url's scheme; then: homelab doctor",
        )
    why = f"{ask.address} ended the TLS handshake: {said}; perhaps it has no certificate for {ask.public}"
    return Passing(Unreachable(f"{ask.where} refuses TLS", why=why, fix=LOOK), f"TLS: {said}", sent=False)


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
