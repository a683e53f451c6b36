"""The proxy that the environment names for a host. Pure. Layer: http.

The variables mean what they mean to curl and Go: ``https_proxy``/``HTTPS_PROXY`` (likewise
``http_``, ``all_``) and ``no_proxy`` with names, domain suffixes, addresses, networks and ``*``.
"""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import ip_address, ip_network


def proxy_for(scheme: str, host: str, port: int, env: Mapping[str, str]) -> str | None:
    """Return the proxy URL for ``scheme://host:port``, or None to go straight."""
    chosen = _first(env, f"{scheme}_proxy", "all_proxy")
    if chosen is None or is_loopback(host) or _excepted(host, port, _first(env, "no_proxy") or ""):
        return None
    return chosen if "://" in chosen else f"http://{chosen}"


def is_loopback(host: str) -> bool:
    """Say whether ``host`` can only be this machine."""
    bare = host.strip("[]").rstrip(".").lower()
    if bare == "localhost":
        return True  # but not x.localhost: not every resolver keeps RFC 6761's promise about those
    try:
        return ip_address(bare).is_loopback
    except ValueError:
        return False


def _first(env: Mapping[str, str], *names: str) -> str | None:
    for name in names:
        for spelling in (name, name.upper()):
            if value := env.get(spelling, "").strip():
                return value
    return None


def _excepted(host: str, port: int, exceptions: str) -> bool:
    host = host.strip("[]").rstrip(".").lower()
    return any(_matches(host, port, entry) for entry in exceptions.lower().replace(",", " ").split())


def _matches(host: str, port: int, entry: str) -> bool:
    if entry == "*":
        return True
    try:
        return ip_address(host) in ip_network(entry.strip("[]"), strict=False)
    except ValueError:
        pass  # one of the two is a name
    name, colon, wanted = entry.rpartition(":")
    if colon and wanted.isdigit():
        if int(wanted) != port:
            return False
        entry = name
    entry = entry.strip("[]").removeprefix("*").removeprefix(".").rstrip(".")
    return bool(entry) and (host == entry or host.endswith(f".{entry}"))
