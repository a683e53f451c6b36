"""``deploy logs``: what the pods of the live revision print, bounded. Layer: the deploy domain's use case."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from http import HTTPStatus
from typing import Any, ClassVar

from homelab.clock import Clock
from homelab.deploy import once
from homelab.deploy.events import TargetEvent
from homelab.deploy.model import Pod, Snapshot
from homelab.deploy.redaction import redact
from homelab.errors import HomelabError, HttpStatus, PermissionMissing, UsageError
from homelab.events import Emit, Notice
from homelab.kube.port import Cluster
from homelab.outcome import Outcome
from homelab.result import Result
from homelab.settings.model import DeployTarget

#: Pods whose logs are read in one call.
MOST_PODS = 10
LONGEST_LINE = 2000
#: What a log of a container that is yet to start answers (kubelet), and the seconds between two tries to follow it.
NOT_STARTED, START_EVERY = "waiting to start", 1.0


@dataclass(frozen=True, slots=True)
class LogsRequest:
    """What to read of each container."""

    container: str | None = None
    previous: bool = False
    tail: int = 100
    follow: bool = False
    #: Seconds to follow; None: until the containers end.
    timeout: float | None = None


@dataclass(frozen=True, slots=True)
class LinePrinted(TargetEvent):
    """A line of a followed log."""

    kind: ClassVar[str] = "deploy.line.printed"
    data: ClassVar[bool] = True
    pod: str
    container: str
    text: str
    #: The only container that is followed: its lines need no name.
    alone: bool

    @property
    def subject(self) -> str:
        """The pod and container."""
        return f"{self.pod}/{self.container}"

    def sentence(self) -> str:
        """Return the line, with its pod where there are several."""
        return self.text if self.alone else f"{self.subject}: {self.text}"


@dataclass(frozen=True, slots=True)
class LogsResult(Result):
    """(pod, container, lines) of each container that had any."""

    logs: tuple[tuple[str, str, tuple[str, ...]], ...] = ()

    def lines(self) -> list[str]:
        """Return the lines, each with its pod where there are several."""
        single = len(self.logs) == 1
        return [
            text if single else f"{pod}/{container}: {text}" for pod, container, texts in self.logs for text in texts
        ]

    def record(self) -> dict[str, Any]:
        """Return every log."""
        return {"logs": [{"pod": pod, "container": name, "lines": list(texts)} for pod, name, texts in self.logs]}


@dataclass(frozen=True, slots=True)
class _Chosen:
    """The containers to read, and what a reader must know about the choice."""

    containers: list[tuple[Pod, str]]
    notes: tuple[str, ...]


def logs(cluster: Cluster, target: DeployTarget, request: LogsRequest, *, clock: Clock, emit: Emit) -> LogsResult:
    """Read, or follow, the logs of the live revision's pods. Raises PermissionMissing where pods may not be listed."""
    snapshot = once.look(cluster, once.known(target), clock=clock)
    chosen = _chosen(snapshot, target, request)
    for note in chosen.notes:
        emit(Notice(about=target.slug, text=note))
    if request.follow:
        return _followed(cluster, target, chosen.containers, request, clock=clock, emit=emit)
    wanted = chosen.containers
    read = tuple((pod.name, name, _read(cluster, target, pod, name, request)) for pod, name in wanted)
    found = tuple(one for one in read if one[2])
    which = "previous " if request.previous else ""
    total = sum(len(lines) for _, _, lines in found)
    return LogsResult(
        Outcome.DONE,
        f"{target.slug}: {total} {which}line{'s' if total != 1 else ''} of {len(found)}/{len(wanted)} containers",
        logs=found,
    )


def _chosen(snapshot: Snapshot, target: DeployTarget, request: LogsRequest) -> _Chosen:
    """Return the containers of the live revision's pods, those that are not Ready first: they say why."""
    workload = once.workload_of(snapshot, target)
    if snapshot.pods is None:
        raise PermissionMissing(
            f"{target.slug}: its pods may not be listed",
            why="; ".join(snapshot.skipped),
            fix="homelab deploy rbac  # prints the Role to ask for",
        )
    pods, live = once.newest_pods(snapshot)
    pods = sorted(pods, key=lambda pod: (pod.ready, pod.name))
    wanted = [(pod, name) for pod in pods[:MOST_PODS] for name in _containers(pod, request)]
    if not wanted:
        names = ", ".join(container.name for container in workload.containers)
        raise UsageError(
            f"{target.slug}: " + (f"no container {request.container}" if request.container else "no pods"),
            why=f"its containers: {names}",
            fix="homelab deploy status, or --container NAME",
        )
    notes = [] if live else ["the live revision has no pod yet; these are the pods of the one before"]
    notes += [f"{MOST_PODS} of {len(pods)} pods; kubectl logs names the others"] if len(pods) > MOST_PODS else []
    return _Chosen(wanted, tuple(notes))


def _containers(pod: Pod, request: LogsRequest) -> list[str]:
    if request.container:
        return [status.name for status in pod.containers if status.name == request.container]
    plain = [status.name for status in pod.containers if not status.init]
    broken = [status.name for status in pod.containers if status.init and not pod.ready and status.restarts]
    return plain + broken


def _clean(line: str) -> str:
    return redact(line)[:LONGEST_LINE]


def _read(cluster: Cluster, target: DeployTarget, pod: Pod, container: str, request: LogsRequest) -> tuple[str, ...]:
    """Return a container's last lines; nothing where it has not started, or has no previous run."""
    try:
        text = cluster.logs(
            target.namespace,
            pod.name,
            container,
            previous=request.previous,
            tail=request.tail,
            limit_bytes=1_048_576,
        )
    except HttpStatus:
        return ()
    return tuple(_clean(line) for line in text.splitlines())


def _followed(
    cluster: Cluster,
    target: DeployTarget,
    wanted: list[tuple[Pod, str]],
    request: LogsRequest,
    *,
    clock: Clock,
    emit: Emit,
) -> LogsResult:
    """Emit every line as it comes, until all containers ended or the time is up."""
    lines: queue.Queue[LinePrinted | HomelabError | None] = queue.Queue()
    for pod, container in wanted:
        source = partial(cluster.follow, target.namespace, pod.name, container, tail=request.tail)
        blank = LinePrinted(target.slug, pod=pod.name, container=container, text="", alone=len(wanted) == 1)
        threading.Thread(target=_pump, args=(source, blank, lines, clock), daemon=True).start()
    ends = None if request.timeout is None else clock.monotonic() + request.timeout
    ended, count = 0, 0
    while ended < len(wanted):
        left = 3600.0 if ends is None else ends - clock.monotonic()
        try:
            line = lines.get(timeout=max(left, 0.0))
        except queue.Empty:
            if ends is not None:
                break
            continue
        if line is None:
            ended += 1
        elif isinstance(line, HomelabError):
            raise line
        else:
            count += 1
            emit(line)
    return LogsResult(Outcome.DONE, f"{target.slug}: followed {len(wanted)} containers, {count} lines")


def _pump(
    source: Callable[[], Iterator[str]],
    blank: LinePrinted,
    lines: queue.Queue[LinePrinted | HomelabError | None],
    clock: Clock,
) -> None:
    """Hand over each line of one container as ``blank`` filled in, then None or what went wrong."""
    while True:
        try:
            for text in source():
                lines.put(replace(blank, text=_clean(text)))
        except HttpStatus as error:
            if error.status == HTTPStatus.BAD_REQUEST and NOT_STARTED in error.why:
                clock.sleep(START_EVERY)
                continue
            ended = error.status in (HTTPStatus.BAD_REQUEST, HTTPStatus.NOT_FOUND)
            lines.put(None if ended else error)
        except HomelabError as error:
            lines.put(error)
        else:
            lines.put(None)
        return
