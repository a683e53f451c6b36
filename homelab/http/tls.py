"""Whom we trust, and what a refused certificate means. Layer: http.

Nothing here, and no setting, switches verification off.
"""

from __future__ import annotations

import os
import ssl
from functools import lru_cache
from pathlib import Path
from shlex import quote

from homelab.errors import CertificateRefused, UsageError
from homelab.http.ask import Ask

# OpenSSL's X509_V_ERR_* numbers, include/openssl/x509_vfy.h.
NOT_YET_VALID, EXPIRED = 9, 10
UNKNOWN_AUTHORITY = frozenset({2, 18, 19, 20, 21, 24})
OTHER_NAME = frozenset({62, 63, 64})


def context(ca_file: Path | None) -> ssl.SSLContext:
    """Return the one TLS context for ``ca_file``: the system's authorities, and those in the file beside them.

    Building one costs 30 ms, so all clients share it until the file changes. Raises UsageError
    when the file cannot be used.
    """
    return _built(ca_file, _stamp(ca_file) if ca_file else None)


def _stamp(ca_file: Path) -> tuple[int, int, int] | None:
    try:
        state = ca_file.stat()
    except OSError:
        return None
    return state.st_mtime_ns, state.st_size, state.st_ino


@lru_cache(maxsize=16)
def _built(ca_file: Path | None, _stamped: tuple[int, int, int] | None) -> ssl.SSLContext:
    built = ssl.create_default_context()
    if not _system_has_authorities(built):
        import certifi  # noqa: PLC0415 -- a machine with a system store never needs it

        built.load_verify_locations(cafile=certifi.where())
    if ca_file is not None:
        try:
            built.load_verify_locations(cafile=os.fspath(ca_file))
        except ssl.SSLError as error:
            raise UsageError(
                f"{ca_file} holds no certificate authority",
                why="ca_file must be a PEM file with one or more -----BEGIN CERTIFICATE----- blocks",
                fix=f"openssl x509 -in {quote(str(ca_file))} -noout -subject",
            ) from error
        except OSError as error:
            raise UsageError(
                f"the CA file {ca_file} cannot be read",
                why=str(error.strerror),
                fix="correct ca_file; where it is set: homelab config show",
            ) from error
    return built


def _system_has_authorities(built: ssl.SSLContext) -> bool:
    if built.cert_store_stats()["x509_ca"]:
        return True
    folder = ssl.get_default_verify_paths().capath  # read by OpenSSL at handshake, so not in the statistics
    return bool(folder and Path(folder).is_dir() and any(Path(folder).iterdir()))


def refused(ask: Ask, error: ssl.SSLCertVerificationError) -> CertificateRefused:
    """Say which of a certificate's promises is broken, and what to do about it."""
    host = ask.public.rpartition(":")[0] if _has_port(ask.public) else ask.public
    code, said = error.verify_code, ask.clean(error.verify_message).rstrip(".")
    look = f"openssl s_client -connect {ask.address} -servername {host.strip('[]')}"
    if code in OTHER_NAME:
        what, fix = (
            f"the certificate at {ask.where} is for another name than {host}",
            f"correct url or dial; look: {look}",
        )
    elif code == EXPIRED:
        what, fix = f"the certificate of {ask.where} has expired", f"renew it on the server; look: {look}"
    elif code == NOT_YET_VALID:
        what, fix = f"the certificate of {ask.where} is not valid yet", "check this machine's clock: date -u"
    elif code in UNKNOWN_AUTHORITY:
        what = f"the certificate of {ask.where} is from an authority unknown here"
        fix = f"set ca_file of {ask.name} to that authority's PEM file, then: homelab doctor"
    else:
        what, fix = f"the certificate of {ask.where} was refused", f"look: {look}"
    return CertificateRefused(what, why=f"{said}; nothing was sent", fix=fix)


def _has_port(netloc: str) -> bool:
    return netloc.rpartition("]")[2].count(":") == 1
