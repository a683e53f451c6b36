"""``pods/log``: the lines of one container, as far as asked, and as they come. Layer: between node and server.

Refusals from ``pkg/registry/core/pod/strategy.go`` and ``pkg/kubelet/kubelet.go`` (``GetKubeletContainerLogs``).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass

from homelab.lab.kubernetes.node.container import Container
from homelab.lab.kubernetes.node.kubelet import Kubelet
from homelab.lab.kubernetes.node.runs import Line, Run
from homelab.lab.kubernetes.objects import Object, micro_stamp, name_of, namespace_of
from homelab.lab.kubernetes.objects import seconds as read_stamp
from homelab.lab.kubernetes.refusals import bad_request

_LOOK_EVERY = 0.05


@dataclass(frozen=True, slots=True)
class LogRequest:
    """What of a log is wanted; ``since`` is Unix time in seconds."""

    container: str
    previous: bool
    follow: bool
    timestamps: bool
    tail: int | None
    limit: int | None
    since: float


def read_log_request(query: Mapping[str, str], now: float) -> LogRequest:
    """Return the options of a log request; refuses with 400."""

    def number(name: str) -> int | None:
        """Return a whole number, None where it is absent; refuses with 400."""
        text = query.get(name)
        if text is None:
            return None
        if not text.isdigit():
            raise bad_request(f'converting ("{text}") to int64: strconv.ParseInt: parsing "{text}": invalid syntax')
        return int(text)

    since_seconds = number("sinceSeconds")
    since = now - since_seconds if since_seconds else read_stamp(query.get("sinceTime"))
    return LogRequest(
        container=query.get("container", ""),
        previous=query.get("previous", "") in ("true", "1"),
        follow=query.get("follow", "") in ("true", "1"),
        timestamps=query.get("timestamps", "") in ("true", "1"),
        tail=number("tailLines"),
        limit=number("limitBytes"),
        since=since,
    )


def find_run(kubelet: Kubelet, pod: Object, request: LogRequest) -> tuple[Container, Run]:
    """Return the run whose lines are asked for; refuses with 400 when there is none."""
    name, called = _container_name(pod, request.container), name_of(pod)
    found = [one for one in kubelet.containers(namespace_of(pod), called) if one.name == name]
    if not pod["spec"].get("nodeName") or not found:
        raise bad_request(f'container "{name}" in pod "{called}" is waiting to start: ContainerCreating')
    container = found[0]
    if request.previous:
        last = container.run if container.run and container.run.ended is not None else container.previous
        if last is None or last.ended is None:
            raise bad_request(f'previous terminated container "{name}" in pod "{called}" not found')
        return container, last
    run = container.run or container.previous
    if run is None:
        reason = container.reason or "ContainerCreating"
        text = "trying and failing to pull image" if reason in ("ErrImagePull", "ImagePullBackOff") else reason
        raise bad_request(f'container "{name}" in pod "{called}" is waiting to start: {text}')
    return container, run


def _container_name(pod: Object, wanted: str) -> str:
    names = [one["name"] for one in pod["spec"]["containers"]]
    inits = [one["name"] for one in pod["spec"].get("initContainers") or []]
    called = name_of(pod)
    if wanted:
        if wanted not in [*names, *inits]:
            raise bad_request(f"container {wanted} is not valid for pod {called}")
        return wanted
    if len(names) > 1:
        shown = " ".join(names)
        raise bad_request(f"a container name must be specified for pod {called}, choose one of: [{shown}]")
    return str(names[0])


async def stream(container: Container, run: Run, request: LogRequest) -> AsyncIterator[bytes]:
    """Yield the lines, and with ``follow`` those to come until the run ends."""
    left = request.limit
    sent = len(run.lines)
    for piece in _pieces(_tail(run.lines, request), request):
        cut = piece if left is None else piece[:left]
        yield cut
        if left is not None:
            left -= len(cut)
            if left <= 0:
                return
    while request.follow and run.ended is None and container.run is run:
        await asyncio.sleep(_LOOK_EVERY)
        for piece in _pieces(run.lines[sent:], request):
            yield piece
        sent = len(run.lines)
    if request.follow:
        for piece in _pieces(run.lines[sent:], request):
            yield piece


def _tail(lines: list[Line], request: LogRequest) -> list[Line]:
    recent = [line for line in lines if line.at >= request.since]
    if request.tail is None:
        return recent
    return recent[len(recent) - min(request.tail, len(recent)) :]


def _pieces(lines: list[Line], request: LogRequest) -> list[bytes]:
    return [f"{micro_stamp(line.at) + ' ' if request.timestamps else ''}{line.text}\n".encode() for line in lines]
