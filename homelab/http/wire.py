"""One exchange with a site: its words, its way, its limits, its failures in our errors. Layer: http."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from homelab import __version__
from homelab.errors import HomelabError, TokenRejected, Unreachable, WrongService
from homelab.http import judge, tls
from homelab.http.ask import Ask
from homelab.http.dial import route
from homelab.http.failures import translate
from homelab.http.lean import httpx
from homelab.http.pool import Pool
from homelab.http.port import Answer, Params, Site
from homelab.http.retry import Passing
from homelab.secret import Secret

#: Seconds. Woodpecker refreshes a forge's OAuth token inside a call, so an answer may take long.
CONNECT, READ = 5.0, 30.0
MAX_REDIRECTS = 5
REDIRECTS = {301, 302, 303, 307, 308}
#: The last try of a spent budget still gets this long, in seconds.
SHORTEST = 0.05
TOKEN = re.compile(r"[\x21-\x7e]+")


class Wire:
    """What all requests of one client share. Safe to use from several threads."""

    def __init__(self, site: Site, *, token: Secret | None, env: Mapping[str, str], limit: int) -> None:
        """Connect to nothing yet. Raises UsageError or TokenRejected for what cannot work."""
        self.site, self.limit = site, limit
        self._token = token
        self._way = route(site, with_token=token is not None, env=env)
        self._context = tls.context(site.ca_file)
        self._headers = _headers(site, token)

    def ask(self, method: str, path: str) -> Ask:
        """Return the request in words."""
        return Ask(self.site, method, path, self._way.public, self._way.address, self._token)

    def url(self, path: str, params: Params | None = None) -> httpx.URL:
        """Return the public URL of ``path`` below the site's own path."""
        url = self._way.url(path)
        return url.copy_merge_params(dict(params)) if params else url

    def pool(self) -> Pool:
        """Return a new pool of connections to the site."""
        return Pool(self._way, self._context, self._headers)

    def exchange(
        self, ask: Ask, pool: Pool, url: httpx.URL, left: float, **more: Any
    ) -> tuple[Answer, httpx.URL | None]:
        """Send once within ``left`` seconds; return the whole answer, and where it redirects to."""
        left = max(left, SHORTEST)
        timeout = httpx.Timeout(min(READ, left), connect=min(CONNECT, left), pool=min(CONNECT, left))
        with (
            pool.cut_after(left) as late,
            self.translated(ask, pool, late),
            pool.request(ask.method, url, timeout=timeout, **more) as response,
        ):
            return self.whole(ask, pool, response, self.limit), target(response)

    def whole(self, ask: Ask, pool: Pool, response: httpx.Response, limit: int) -> Answer:
        """Read the body, at most ``limit`` bytes of it. Raises WrongService when it is larger."""
        body = bytearray()
        with pool.reading():
            for chunk in response.iter_bytes():
                body += chunk
                if len(body) > limit:
                    raise too_large(ask, limit)
        headers = {name.lower(): value for name, value in response.headers.items()}
        return Answer(status=response.status_code, headers=headers, body=bytes(body))

    def same_origin(self, ask: Ask, place: httpx.URL) -> httpx.URL:
        """Return ``place`` when it is the site's own. Raises WrongService otherwise."""
        if not self._way.owns(place):
            raise judge.sent_elsewhere(ask, shown(place))
        # A user in it would become an Authorization header in place of ours.
        return place.copy_with(userinfo=b"", fragment=None)

    @contextmanager
    def translated(self, ask: Ask, pool: Pool, late: threading.Event | None = None) -> Iterator[None]:
        """Turn what httpx raises into ours, and whatever a connection closed under us raises too."""
        try:
            yield
        except (HomelabError, Passing):
            raise
        except Exception as error:
            if pool.closed:
                raise _closed(ask) from error
            if not isinstance(error, httpx.HTTPError | httpx.StreamError | httpx.InvalidURL | OSError):
                raise
            proxied = self._way.proxy is not None
            raise translate(ask, error, proxied=proxied, late=late is not None and late.is_set()) from error


def target(response: httpx.Response) -> httpx.URL | None:
    """Return where a redirect points, absolute; None for any other answer."""
    place = response.headers.get("location")
    if response.status_code not in REDIRECTS or not place:
        return None
    try:
        return response.request.url.join(place)
    except (httpx.InvalidURL, ValueError):
        return httpx.URL(scheme="unreadable", host="unreadable")


def shown(place: httpx.URL) -> str:
    """Return scheme, host and path: a redirect's query may hold session keys."""
    return f"{place.scheme}://{place.netloc.decode('ascii')}{place.raw_path.partition(b'?')[0].decode('ascii')}"


def in_circles(ask: Ask) -> WrongService:
    """Return the error for a redirect that does not end."""
    return WrongService(
        f"{ask.name} at {ask.where} redirects in circles",
        why=f"{ask.shown} was redirected more than {MAX_REDIRECTS} times",
        fix="correct url or dial; where they are set: homelab config show",
    )


def too_large(ask: Ask, limit: int) -> WrongService:
    """Return the error for a body that does not end."""
    return WrongService(
        f"{ask.name} answered {ask.shown} with more than {limit:,} bytes",
        why="no answer of it is that large, so the rest was not read",
        fix="homelab doctor",
    )


def _closed(ask: Ask) -> Unreachable:
    return Unreachable(f"{ask.shown} was abandoned", why="the client was closed meanwhile", fix="run again")


def _headers(site: Site, token: Secret | None) -> dict[str, str]:
    headers = {"User-Agent": f"homelab/{__version__}", "Accept": "application/json", "Accept-Encoding": "gzip, deflate"}
    headers.update(site.headers)
    if token is None:
        return headers
    # Checked here because the HTTP library would quote the whole header when it refuses one.
    if not TOKEN.fullmatch(token.reveal()):
        raise TokenRejected(
            f"the token for {site.name} cannot be one",
            why="it is empty, or holds a space, a line break or a character outside ASCII",
            fix="store it again without quotes and line breaks; where it comes from: homelab doctor",
        )
    bearer = site.token_header.lower() == "authorization"
    headers[site.token_header] = f"{site.token_scheme} {token.reveal()}" if bearer else token.reveal()
    return headers
