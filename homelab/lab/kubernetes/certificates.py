"""The cluster's own certificate authority and the server's certificate. Layer: edge of the lab cluster.

kubectl sends credentials over TLS only (client-go ``tools/clientcmd/client_config.go``), so the lab serves TLS.
"""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from pathlib import Path

import trustme

_NAMES = ("127.0.0.1", "localhost", "kubernetes.default.svc")


@dataclass(frozen=True, slots=True)
class Certificates:
    """The authority's certificate (PEM), and a TLS context that serves under it."""

    authority: str
    context: ssl.SSLContext


def make_certificates(folder: Path) -> Certificates:
    """Return the certificates kept in ``folder``, made there first when it has none."""
    authority, server = folder / "ca.pem", folder / "server.pem"
    if not (authority.exists() and server.exists()):
        made = trustme.CA()
        issued = made.issue_cert(*_NAMES)
        made.cert_pem.write_to_path(authority)
        server.touch(mode=0o600)
        issued.private_key_and_cert_chain_pem.write_to_path(server)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(server)
    return Certificates(authority.read_text(), context)
