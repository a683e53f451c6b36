from __future__ import annotations

import errno
import socket
import ssl

import pytest

from homelab.errors import CertificateRefused, HomelabError, WrongService
from homelab.http.ask import Ask
from homelab.http.failures import translate
from homelab.http.lean import httpx
from homelab.http.port import Site
from homelab.http.retry import Passing

SITE = Site("https://ci.example.org", dial="10.0.0.1", name="Woodpecker")
READ = Ask(SITE, "GET", "/api/user", "ci.example.org", "10.0.0.1:443")
WRITE = Ask(SITE, "POST", "/api/x", "ci.example.org", "10.0.0.1:443")
WHERE = "https://ci.example.org (dialed at 10.0.0.1:443)"


def because(error: Exception, *causes: BaseException) -> Exception:
    """Chain as httpx does: its own error from the transport library's from the system's."""
    current: BaseException = error
    for cause in causes:
        current.__cause__ = cause
        current = cause
    return error


def ssl_error(reason: str) -> ssl.SSLError:
    error = ssl.SSLError(1, reason)
    error.reason = reason
    return error


@pytest.mark.parametrize(
    ("error", "what"),
    [
        (because(httpx.ConnectError(""), OSError(errno.ECONNREFUSED, "x")), f"{WHERE} refuses the connection"),
        (because(httpx.ConnectError(""), OSError(errno.EHOSTUNREACH, "x")), f"there is no way to {WHERE}"),
        (because(httpx.ConnectError(""), socket.gaierror(-2, "unknown")), f"the name in {WHERE} cannot be resolved"),
        (httpx.ConnectError(""), f"{WHERE} cannot be reached"),
        (httpx.ConnectTimeout(""), f"{WHERE} does not answer"),
        (httpx.ReadTimeout(""), f"Woodpecker at {WHERE} is silent"),
        (httpx.RemoteProtocolError(""), f"Woodpecker at {WHERE} cut the connection"),
        (because(httpx.ReadError(""), OSError(errno.ECONNRESET, "x")), f"Woodpecker at {WHERE} cut the connection"),
        (httpx.DecodingError(""), f"Woodpecker at {WHERE} answered garbage"),
        (httpx.ProxyError("403 Forbidden"), f"the environment's proxy gives no way to {WHERE}"),
        (because(httpx.ConnectError(""), ssl_error("TLSV1_ALERT_INTERNAL_ERROR")), f"{WHERE} refuses TLS"),
    ],
)
def test_each_failure_of_the_wire_has_its_own_sentence_and_may_pass(error: Exception, what: str) -> None:
    passing = translate(READ, error)
    assert isinstance(passing, Passing)
    assert passing.error.what == what
    assert passing.error.outcome == 5


def test_a_port_without_tls_is_another_service() -> None:
    error = translate(READ, because(httpx.ConnectError(""), ssl_error("WRONG_VERSION_NUMBER")))
    assert isinstance(error, WrongService)
    assert error.what == f"{WHERE} does not speak TLS"


def test_a_refused_certificate_is_final() -> None:
    cause = ssl.SSLCertVerificationError("x")
    cause.verify_code, cause.verify_message = 10, "certificate has expired"
    assert isinstance(translate(READ, because(httpx.ConnectError(""), cause)), CertificateRefused)


def test_a_name_that_does_not_resolve_is_tried_a_few_times_only() -> None:
    passing = translate(READ, because(httpx.ConnectError(""), socket.gaierror(-2, "unknown")))
    assert isinstance(passing, Passing)
    assert passing.few


@pytest.mark.parametrize(
    ("error", "sent"),
    [
        (httpx.ConnectError(""), False),
        (httpx.ConnectTimeout(""), False),
        (httpx.ReadTimeout(""), True),
        (httpx.ReadError(""), True),
    ],
)
def test_only_a_connection_that_never_opened_carried_nothing(error: Exception, sent: bool) -> None:
    passing = translate(WRITE, error)
    assert isinstance(passing, Passing)
    assert passing.sent is sent
    assert passing.error.why.endswith("may have taken effect") is sent


def test_a_connection_we_cut_ourselves_is_silence() -> None:
    passing = translate(READ, httpx.RemoteProtocolError("cut"), late=True)
    assert not isinstance(passing, HomelabError)
    assert passing.error.what == f"Woodpecker at {WHERE} is silent"
