"""``/api/stream/…``: pipeline events and a step's lines as server-sent events.

Source: woodpecker server/api/stream.go.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import TypeVar

from aiohttp import web

from homelab.lab.woodpecker import render
from homelab.lab.woodpecker.access import need_repository, part, user_of
from homelab.lab.woodpecker.bus import Batch
from homelab.lab.woodpecker.records import LogLine, Step
from homelab.lab.woodpecker.states import UNDER_WAY

ROUTES = web.RouteTableDef()
_PING = b": ping\n\n"
_HEADERS = {"Content-Type": "text/event-stream", "X-Accel-Buffering": "no", "Connection": "keep-alive"}

T = TypeVar("T")
Tell = Callable[[web.StreamResponse], Awaitable[None]]


async def _stream(request: web.Request, cache: str, tell: Tell) -> web.StreamResponse:
    """Start with a comment, so that a client knows that nothing buffers the stream; ``tell`` until the client leaves.

    That it has left shows when something is written to it: no failure of the server's.
    """
    response = web.StreamResponse(headers={**_HEADERS, "Cache-Control": cache})
    with suppress(ConnectionError):
        await response.prepare(request)
        if part(request).board.faults.mute != "bytes":
            await response.write(_PING)
        await tell(response)
    return response


async def _next(request: web.Request, response: web.StreamResponse, queue: asyncio.Queue[T]) -> T:
    """Return the queue's next item, sending a comment for every stretch of silence."""
    board = part(request).board
    while True:
        try:
            async with asyncio.timeout(board.config.ping_every):
                return await queue.get()
        except TimeoutError:
            if board.faults.mute != "bytes":
                await response.write(_PING)


@ROUTES.get("/api/stream/events", allow_head=False)
async def events(request: web.Request) -> web.StreamResponse:
    """Every public repository, and what the user may see now, until the client leaves."""
    user, board = user_of(request), part(request).board
    mine = frozenset(one.id for one in board.config.repositories if user and one.active and one.allows(user, "pull"))
    with board.events.listen(mine) as queue:

        async def tell(response: web.StreamResponse) -> None:
            while True:
                payload: bytes = await _next(request, response, queue)
                await response.write(b"data: " + payload + b"\n\n")

        return await _stream(request, "no-store", tell)


@ROUTES.get("/api/stream/logs/{repo_id}/{number}/{step_id}", allow_head=False)
async def logs(request: web.Request) -> web.StreamResponse:
    """A step's lines from its beginning; ends when the step's workflow does."""
    repository = need_repository(request)
    last = request.headers.get("Last-Event-ID", "")
    skip = int(last) if last.isascii() and last.isdigit() else 0

    async def tell(response: web.StreamResponse) -> None:
        found = _find(request, repository.id)
        if isinstance(found, str):
            await response.write(f"event: error\ndata: {found}\n\n".encode())
        else:
            await _Tail(request, response, found, skip=skip).follow()

    return await _stream(request, "no-cache", tell)


def _find(request: web.Request, repo_id: int) -> Step | str:
    """Return the step, or what the stream says instead of its lines."""
    number, step_id = request.match_info["number"], request.match_info["step_id"]
    if not (number.isascii() and number.isdigit()):
        return "pipeline number invalid"
    pipeline = part(request).board.store.pipeline(repo_id, int(number))
    if pipeline is None:
        return "pipeline not found"
    if not (step_id.isascii() and step_id.isdigit()):
        return "step id invalid"
    step = pipeline.step(int(step_id))
    if step is None:
        return "process not found"
    return step if step.state in UNDER_WAY else "step not running (anymore)"


class _Tail:
    """One reader of one step's lines."""

    def __init__(self, request: web.Request, response: web.StreamResponse, step: Step, *, skip: int) -> None:
        self.request, self.response, self.step = request, response, step
        self.board, self.count, self.skip = part(request).board, 0, skip
        self.withheld: list[LogLine] = []

    async def follow(self) -> None:
        """Send what is there, then what comes, then the end."""
        with self.board.logs.listen(self.step.id) as queue:
            batch: Batch = self.board.store.log(self.step.id)
            while batch is not None:
                await self._send(batch)
                batch = await _next(self.request, self.response, queue)
        await self._end()

    async def _send(self, batch: list[LogLine]) -> None:
        """Write a batch; the last lines stay back when they are to be lost at eof."""
        ready = [*self.withheld, *batch]
        keep = len(ready) - self.board.faults.drop_at_eof
        self.withheld = ready[max(keep, 0) :]
        parts = []
        for line in ready[: max(keep, 0)]:
            self.count += 1
            if self.count > self.skip:
                parts.append(f"id: {self.count}\ndata: {json.dumps(render.log_line(line))}\n\n")
        if parts and self.board.faults.mute != "bytes":
            await self.response.write("".join(parts).encode())

    async def _end(self) -> None:
        if self.board.faults.no_eof or self.board.faults.mute == "bytes":
            return
        name = "error" if self.board.faults.old_eof else "eof"
        await self.response.write(f"event: {name}\ndata: eof\n\n".encode())
