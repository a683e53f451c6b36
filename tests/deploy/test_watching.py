"""The watch that only rings: every way a watch can end is a reason to look again, never an answer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from homelab.clock import Wake
from homelab.deploy.watching import Listener
from homelab.errors import HttpStatus, PermissionMissing, TokenRejected, Unreachable
from homelab.kube.port import Json, Params, Watching, whole
from tests.deploy.fakes import FakeCluster, FakeWatching
from tests.fakes import FakeClock

PATH = "/apis/apps/v1/namespaces/t/deployments"


class CountingWake(Wake):
    """Counts its rings."""

    def __init__(self) -> None:
        super().__init__()
        self.rings = 0

    def ring(self) -> None:
        self.rings += 1
        super().ring()


class Scripted(FakeCluster):
    """Opens watches from a script; the last step stops the listener."""

    def __init__(self, clock: FakeClock, script: Sequence[Watching | Exception]) -> None:
        super().__init__(clock, [(0, {})])
        self.script = list(script)
        self.versions: list[str] = []
        self.lists = 0
        self.stop: Callable[[], None] = lambda: None

    def list(self, path: str, params: Params | None = None, *, keep: Callable[[Json], Any] = whole) -> Json:
        self.lists += 1
        return {"items": [], "resourceVersion": f"list-{self.lists}"}

    def watch(
        self, path: str, *, resource_version: str, params: Params | None = None, timeout: float = 60.0
    ) -> Watching:
        self.versions.append(resource_version)
        step = self.script.pop(0)
        if not self.script:
            self.stop()
        if isinstance(step, Exception):
            raise step
        return step


def event(version: str, type_: str = "MODIFIED") -> Json:
    return {"type": type_, "object": {"metadata": {"resourceVersion": version}}}


def run(clock: FakeClock, *script: Watching | Exception) -> tuple[Scripted, CountingWake]:
    cluster, wake = Scripted(clock, script), CountingWake()
    listener = Listener(cluster, PATH, {}, wake=wake, clock=clock)
    cluster.stop = listener.stop
    listener.run()
    assert not listener.healthy
    return cluster, wake


def gone() -> HttpStatus:
    return HttpStatus("410", status=410, why="too old", fix="list again")


def test_a_normal_end_goes_on_from_the_last_version_bookmarks_included(clock: FakeClock) -> None:
    cluster, _ = run(clock, FakeWatching([event("5"), event("9", "BOOKMARK")]), FakeWatching([]))
    assert cluster.versions == ["list-1", "9"]


def test_events_ring_and_bookmarks_do_not(clock: FakeClock) -> None:
    _, quiet = run(clock, FakeWatching([event("9", "BOOKMARK")]))
    _, loud = run(clock, FakeWatching([event("8"), event("9")]))
    assert loud.rings == quiet.rings + 2


@pytest.mark.parametrize("where", ["at connect", "in the stream"])
def test_a_forgotten_version_is_listed_anew_after_a_pause(clock: FakeClock, where: str) -> None:
    step = gone() if where == "at connect" else FakeWatching([event("5")], end=gone())
    cluster, _ = run(clock, step, FakeWatching([]))
    assert cluster.versions == ["list-1", "list-2"]
    assert clock.elapsed > 0


def test_a_broken_connection_is_opened_again_after_a_pause(clock: FakeClock) -> None:
    broken = FakeWatching([event("5")], end=Unreachable("broken", why="reset", fix="look"))
    cluster, _ = run(clock, broken, FakeWatching([]))
    assert len(cluster.versions) == 2
    assert clock.elapsed > 0


def test_pauses_grow_and_stay_bounded(clock: FakeClock) -> None:
    run(clock, *[Unreachable("down", why="refused", fix="look") for _ in range(12)])
    assert max(clock.slept) <= 30
    assert clock.slept[0] < clock.slept[5]


@pytest.mark.parametrize(
    "error",
    [
        PermissionMissing("403", why="no", fix="ask"),
        TokenRejected("401", why="no", fix="log in"),
        HttpStatus("400", status=400, why="bad", fix="report"),
    ],
    ids=["forbidden", "credentials", "bad request"],
)
def test_where_it_may_not_watch_it_gives_up_and_leaves_it_to_polling(clock: FakeClock, error: Exception) -> None:
    cluster, wake = run(clock, error, FakeWatching([]))
    assert cluster.versions == ["list-1"]
    assert wake.rings >= 1


def test_watches_that_end_at_once_do_not_become_a_busy_loop(clock: FakeClock) -> None:
    run(clock, *[FakeWatching([]) for _ in range(5)])
    assert clock.elapsed > 4
