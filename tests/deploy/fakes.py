"""A cluster whose state is a function of the virtual clock. Typed against the port."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from homelab.errors import HttpStatus, PermissionMissing
from homelab.kube.port import MERGE_PATCH, Cluster, Json, Params, Patch, Watching, whole
from tests.fakes import FakeClock

Objects = dict[str, list[Json]]
#: (seconds from which on it holds, what the cluster holds by plural)
Scene = tuple[float, Objects]


class FakeCluster:
    """Answers GET and LIST from scenes; denies what RBAC denies; has no watch unless given one."""

    def __init__(self, clock: FakeClock, scenes: Sequence[Scene], *, deny: frozenset[str] = frozenset()) -> None:
        self.clock, self.scenes, self.deny = clock, sorted(scenes, key=lambda scene: scene[0]), deny
        self.name, self.namespace, self.skew = "fake", "t", 0.0
        self.asked: list[str] = []
        self.nodes: list[Json] = []
        self.patched: list[tuple[str, Patch]] = []
        self.log_texts: dict[tuple[str, str, bool], str] = {}
        self.fail: Callable[[str], None] = lambda _path: None

    @property
    def objects(self) -> Objects:
        return [held for since, held in self.scenes if self.clock.elapsed >= since][-1]

    def get(self, path: str, params: Params | None = None) -> Json:
        plural, name = self._asked("get", path)
        for item in self.objects.get(plural, []):
            if item["metadata"]["name"] == name:
                return item
        raise HttpStatus(f"{path}: 404", status=404, why="not found", fix="look elsewhere")

    def list(self, path: str, params: Params | None = None, *, keep: Callable[[Json], Any] = whole) -> Json:
        if path == "/api/v1/nodes":
            return {"items": [keep(item) for item in self.nodes], "resourceVersion": "1"}
        plural, _ = self._asked("list", path)
        found = self.objects.get(plural, [])
        if "fluxcd.io/" in (selector := str((params or {}).get("labelSelector") or "")):
            wanted = dict(part.split("=") for part in selector.split(","))
            found = [one for one in found if wanted.items() <= (one["metadata"].get("labels") or {}).items()]
        return {"items": [keep(item) for item in found], "resourceVersion": "1"}

    def watch(
        self, path: str, *, resource_version: str, params: Params | None = None, timeout: float = 60.0
    ) -> Watching:
        raise PermissionMissing("not allowed to watch", why="403", fix="ask for it")

    def logs(
        self,
        namespace: str,
        pod: str,
        container: str,
        *,
        previous: bool = False,
        tail: int = 20,
        limit_bytes: int = 65_536,
    ) -> str:
        text = self.log_texts.get((pod, container, previous))
        if text is None:
            raise HttpStatus("no log", status=400, why="previous terminated container not found", fix="wait")
        return text

    def follow(self, namespace: str, pod: str, container: str, *, tail: int = 20) -> Iterator[str]:
        yield from self.logs(namespace, pod, container, tail=tail).splitlines()

    def patch(self, path: str, body: Patch, *, content_type: str = MERGE_PATCH) -> Json:
        self.patched.append((path, body))
        return {}

    def close(self) -> None:
        pass

    def _asked(self, verb: str, path: str) -> tuple[str, str]:
        self.asked.append(f"{verb} {path}")
        self.fail(path)
        _, _, place = path.partition("/namespaces/")
        parts = place.split("/") if place else ["", path.rpartition("/")[2]]
        plural, name = parts[1], parts[2] if len(parts) > 2 else ""
        if f"{verb} {plural}" in self.deny:
            raise PermissionMissing(f"not allowed to {verb} {plural}", why="403", fix="homelab deploy rbac")
        return plural, name


class FakeWatching:
    """A watch that says what it was given, then ends or raises."""

    def __init__(self, events: Sequence[Json], end: Exception | None = None) -> None:
        self.events, self.end, self.closed = events, end, False

    def __iter__(self) -> Iterator[Json]:
        yield from self.events
        if self.end is not None:
            raise self.end

    def close(self) -> None:
        self.closed = True


def typed(cluster: FakeCluster) -> Cluster:
    """Prove to the type checker that the fake is a cluster."""
    return cluster
