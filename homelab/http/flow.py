"""A long answer: opened once, read piece by piece, ended by idleness or from another thread. Layer: http."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from homelab.errors import HomelabError, WrongService
from homelab.http import judge
from homelab.http.ask import Ask
from homelab.http.lean import httpx
from homelab.http.pool import Pool
from homelab.http.port import Answer
from homelab.http.retry import Passing, once
from homelab.http.wire import CONNECT, MAX_REDIRECTS, SHORTEST, Wire, in_circles, target

#: The body of an answer that is not the one wanted is only read for a message.
MAX_REFUSAL = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Wanted:
    """The answer worth reading piece by piece: ``fits`` knows it by its head; any other is judged whole."""

    name: str
    headers: Mapping[str, str]
    fits: Callable[[httpx.Response], bool]


#: An answer, open, and where it redirects to.
Opened = tuple[httpx.Response, "httpx.URL | None"]
#: Runs an attempt: ``once``, or with retries.
Run = Callable[[Callable[[], Opened]], Opened]


@contextmanager
def opened(
    wire: Wire,
    ask: Ask,
    pool: Pool,
    url: httpx.URL,
    *,
    idle: float,
    wanted: Wanted,
    run: Run = once,
    left: Callable[[], float] = lambda: float("inf"),
) -> Iterator[httpx.Response]:
    """Open the answer and give it unread. Raises what the same answer to a GET would end in.

    ``run`` decides whether a failed opening is repeated; once a response is given, nothing is. An attempt takes
    no more seconds than are ``left``.
    """
    for _ in range(MAX_REDIRECTS + 1):
        with ExitStack() as stack:
            response, place = run(_Knock(wire, ask, pool, url, idle, wanted, stack, left))
            if place is None:
                yield response
                return
        url = wire.same_origin(ask, place)
    raise in_circles(ask)


def pieces(wire: Wire, ask: Ask, pool: Pool, response: httpx.Response) -> Iterator[bytes]:
    """Yield what arrives as it arrives; end quietly when ``pool`` was closed."""
    arriving = response.iter_bytes()

    def read() -> bytes | None:
        with wire.translated(ask, pool), pool.reading():
            return next(arriving, None)

    while True:
        try:
            piece = once(read)
        except HomelabError:
            if pool.closed:
                return
            raise
        if piece is None:
            return
        yield piece


@dataclass(frozen=True, slots=True)
class _Knock:
    """One attempt to open: the response, left open on ``stack``, and where it redirects to. Raises what else it is."""

    wire: Wire
    ask: Ask
    pool: Pool
    url: httpx.URL
    idle: float
    wanted: Wanted
    stack: ExitStack
    left: Callable[[], float]

    def __call__(self) -> Opened:
        self.stack.close()  # what an earlier attempt left
        timeout = httpx.Timeout(self.idle, connect=CONNECT)
        patience = min(CONNECT + self.idle, max(self.left(), SHORTEST))
        with self.pool.cut_after(patience) as late, self.wire.translated(self.ask, self.pool, late):
            request = self.pool.request("GET", self.url, timeout=timeout, headers=_encoded(self.wanted.headers))
            response = self.stack.enter_context(request)
            if self.wanted.fits(response):
                return response, None
            refusal = self.wire.whole(self.ask, self.pool, response, MAX_REFUSAL)
        place = target(response)
        if place is None:
            raise _refused(self.ask, refusal, self.wanted)
        return response, place


def _encoded(headers: Mapping[str, str]) -> dict[bytes, bytes]:
    # A Last-Event-ID is the server's own words, in UTF-8 (WHATWG HTML, "Last-Event-ID").
    return {name.encode(): value.encode() for name, value in headers.items()}


def _refused(ask: Ask, answer: Answer, wanted: Wanted) -> Exception:
    """Return what the answer means: a final error, or Passing. A page in place of a body is final: it is an answer."""
    try:
        # A Retry-After that names a date asks for nothing here: whoever opens has its own rhythm.
        judge.judge(ask, answer, wants_json=True, answered_before=False, now=float("inf"))
    except HomelabError as error:
        return error
    except Passing as passing:
        return passing.error if passing.few else passing
    what = f"{ask.name} answered {ask.shown} without {wanted.name}"
    return WrongService(what, why="it answered plain JSON", fix="homelab doctor")
