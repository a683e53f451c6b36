"""How long a server's certificate lives. Layer: http."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Mapping

from homelab.http import tls
from homelab.http.dial import route
from homelab.http.port import Site

_SECONDS = 5.0


def life(site: Site, *, env: Mapping[str, str]) -> tuple[float, float] | None:
    """Return begin and end (Unix seconds) of the certificate at ``site``, checked as for any request.

    None where there is none to see: plain http, a proxy in between, or a handshake that fails (a request
    says why). Sends nothing but the handshake.
    """
    way = route(site, with_token=False, env=env)
    if way.base.scheme != "https" or way.proxy:
        return None
    try:
        with (
            socket.create_connection((way.host, way.port), timeout=_SECONDS) as tcp,
            tls.context(site.ca_file).wrap_socket(tcp, server_hostname=way.base.raw_host.decode("ascii")) as secured,
        ):
            seen = secured.getpeercert() or {}
        return ssl.cert_time_to_seconds(str(seen["notBefore"])), ssl.cert_time_to_seconds(str(seen["notAfter"]))
    except (OSError, KeyError, ValueError):
        return None
