"""Where a request goes: TCP to the dialed address, everything else as the public URL says.

Host header, SNI and certificate check stay those of the URL's host; only the address changes.
Layer: http.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import IPv6Address

from homelab.errors import OurBug, UsageError
from homelab.http.lean import httpx
from homelab.http.port import Site
from homelab.http.proxies import is_loopback, proxy_for

DEFAULT_PORTS = {"https": 443, "http": 80}
MAX_PORT = 65535
# RFC 1035 §2.3.4; an underscore is no hostname's but works in homelabs.
MAX_NAME, LABEL = 253, re.compile(r"\w(?:[\w-]{0,61}\w)?", re.ASCII)
DIAL = re.compile(r"(?:\[(?P<v6>[^\]]+)\]|(?P<host>[\w.-]+))(?::(?P<port>\d{1,5}))?")


@dataclass(frozen=True, slots=True)
class Route:
    """The public base URL, the address TCP goes to, and the proxy in between, if any."""

    base: httpx.URL
    host: str
    port: int
    proxy: str | None = None

    @property
    def public(self) -> str:
        """``host[:port]`` of the public URL, as in the Host header."""
        return self.base.netloc.decode("ascii")

    @property
    def address(self) -> str:
        """``host:port`` that TCP goes to, a v6 address in brackets."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    def owns(self, url: httpx.URL) -> bool:
        """Say whether ``url`` has the scheme, host and port of this route's public URL."""
        return _origin(url) == _origin(self.base)

    def url(self, path: str) -> httpx.URL:
        """Return the public URL of ``path``, which starts with ``/`` and may hold a query."""
        if not path.startswith("/"):
            raise OurBug(f"a path without its slash: {path!r}", why="it would change the host", fix="report this bug")
        return httpx.URL(str(self.base).rstrip("/") + path.replace("#", "%23"))


def route(site: Site, *, with_token: bool, env: Mapping[str, str]) -> Route:
    """Return the way to ``site``. Raises UsageError for a URL or dial that cannot be used.

    A token over bare http leaves this machine readable by all between, so that is refused too.
    """
    base = _public(site)
    rooted = base.raw_host.decode("ascii")
    named = rooted.removesuffix(".")
    port = DEFAULT_PORTS[base.scheme] if base.port is None else base.port
    if not _is_host(named) or not 0 < port <= MAX_PORT:
        raise _bad_url(site, "its host or port cannot exist")
    host, dial_port = parse_dial(site.dial, port, site.name) if site.dial else (rooted.replace("%25", "%"), port)
    if with_token and base.scheme == "http" and not is_loopback(host):
        raise UsageError(
            f"{site.name}: a token would cross the network unencrypted to http://{rooted}",
            why="the URL is http:// and the address is not this machine",
            fix=f"use https://{named} in the url; where it is set: homelab config show",
        )
    # A dialed host is reached as its owner said, never through a proxy of the environment.
    proxy = None if site.dial else proxy_for(base.scheme, named, port, env)
    return Route(base=base.copy_with(host=named), host=host, port=dial_port, proxy=proxy)


def parse_dial(text: str, default_port: int, name: str = "server") -> tuple[str, int]:
    """Take ``ip[:port]``, ``[v6][:port]``, a bare v6 address or ``name[:port]`` apart. Raises UsageError."""
    text = text.strip()
    with contextlib.suppress(ValueError):
        return str(IPv6Address(text)), default_port
    taken = DIAL.fullmatch(text)
    if taken is None:
        raise _bad_dial(text, name)
    try:
        host = (
            str(IPv6Address(taken["v6"])) if taken["v6"] else httpx.URL(f"//{taken['host']}").raw_host.decode("ascii")
        )
    except (httpx.InvalidURL, ValueError) as error:
        raise _bad_dial(text, name) from error
    port = int(taken["port"] or default_port)
    if not _is_host(host.removesuffix(".")) or not 0 < port <= MAX_PORT:
        raise _bad_dial(text, name)
    return host, port


def _is_host(host: str) -> bool:
    """Say whether ``host`` is an address or can be a name: the resolver raises odd errors for some that cannot."""
    if ":" in host:
        with contextlib.suppress(ValueError):
            return bool(IPv6Address(host.replace("%25", "%")))
        return False
    return len(host) <= MAX_NAME and all(LABEL.fullmatch(label) for label in host.split("."))


class DialTransport(httpx.BaseTransport):
    """Sends requests of one origin to its dialed address. A request for any other origin is our bug."""

    def __init__(self, way: Route, inner: httpx.BaseTransport) -> None:
        """``inner`` connects to whatever host its request's URL names."""
        self._way = way
        self._inner = inner

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Put the address in the URL, the public host in SNI, and leave the Host header alone."""
        if not self._way.owns(request.url):
            raise OurBug(
                f"a request for {request.url.netloc.decode()} on a connection of {self._way.public}",
                why="a token is bound to one host",
                fix="report this bug",
            )
        address = request.url if self._way.proxy else request.url.copy_with(host=self._way.host, port=self._way.port)
        return self._inner.handle_request(
            httpx.Request(
                request.method,
                address,
                headers=request.headers,
                stream=request.stream,
                extensions={**request.extensions, "sni_hostname": request.url.raw_host.decode("ascii")},
            )
        )

    def close(self) -> None:
        """Close the pooled connections."""
        self._inner.close()


def _public(site: Site) -> httpx.URL:
    try:
        base = httpx.URL(site.url.strip())
    except httpx.InvalidURL as error:
        raise _bad_url(site, "it is not a URL") from error
    if base.scheme not in DEFAULT_PORTS:
        raise _bad_url(site, "it must start with https://")
    if not base.raw_host:
        raise _bad_url(site, "it names no host")
    if base.userinfo:
        raise _bad_url(site, "it holds a user or password; tokens come from the token chain")
    if base.query or base.fragment:
        raise _bad_url(site, "it holds a query or fragment")
    return base


def _bad_url(site: Site, why: str) -> UsageError:
    shown = site.url.rpartition("@")[2].partition("?")[0]
    return UsageError(
        f"the url of {site.name} cannot be used: {shown}",
        why=why,
        fix="write it as https://host[:port][/path]; where it is set: homelab config show",
    )


def _bad_dial(text: str, name: str) -> UsageError:
    return UsageError(
        f"the dial of {name} cannot be used: {text.rpartition('@')[2]}",
        why="allowed: ip[:port], [v6][:port] or name[:port]",
        fix="correct dial; where it is set: homelab config show",
    )


def _origin(url: httpx.URL) -> tuple[str, bytes, int | None]:
    return url.scheme, url.raw_host.rstrip(b"."), url.port or DEFAULT_PORTS.get(url.scheme)
