"""Pods and events as the API answers them, into the records of :mod:`homelab.deploy.model`. Pure.

Layer: the deploy domain, beside shape.
"""

from __future__ import annotations

from typing import Any

from homelab.deploy import shape
from homelab.deploy.model import ContainerStatus, Ended, Happening, Pod
from homelab.kube.port import Json

#: The pod condition that says it, and its name before Kubernetes 1.28.
PREPARED = ("PodReadyToStartContainers", "PodHasNetwork")


def pod(item: Json, skew: float = 0.0) -> Pod:
    """Return a pod."""
    about, spec, status = item.get("metadata") or {}, item.get("spec") or {}, item.get("status") or {}
    stated = {condition.type: condition for condition in shape.conditions(status, skew)}
    ready = stated.get("Ready")
    return Pod(
        name=str(about.get("name") or ""),
        uid=str(about.get("uid") or ""),
        owner=shape.owned_by(item),
        hash=shape.hash_of(about.get("labels") or {}),
        phase=str(status.get("phase") or "Pending"),
        deleting=bool(about.get("deletionTimestamp")),
        ready=ready is not None and ready.status == "True",
        ready_since=ready.since if ready and ready.status == "True" else None,
        created=shape.moment(about.get("creationTimestamp"), skew),
        node=str(spec.get("nodeName") or ""),
        scheduled=stated.get("PodScheduled"),
        nominated=bool(status.get("nominatedNodeName")),
        restart_policy=str(spec.get("restartPolicy") or "Always"),
        containers=_statuses(spec, status, skew),
        claims=tuple(
            str(volume["persistentVolumeClaim"].get("claimName"))
            for volume in spec.get("volumes") or []
            if volume.get("persistentVolumeClaim")
        ),
        prepared=any(name in stated and stated[name].status == "True" for name in PREPARED),
    )


def _statuses(spec: Json, status: Json, skew: float) -> tuple[ContainerStatus, ...]:
    reported = {
        str(item.get("name")): item
        for item in [*(status.get("containerStatuses") or []), *(status.get("initContainerStatuses") or [])]
    }
    plain = [_status(c, reported, skew, init=False) for c in spec.get("containers") or []]
    init = [_status(c, reported, skew, init=True) for c in spec.get("initContainers") or []]
    return (*plain, *init)


def _status(container: Json, reported: dict[str, Json], skew: float, *, init: bool) -> ContainerStatus:
    found = reported.get(str(container.get("name"))) or {}
    state, last = found.get("state") or {}, found.get("lastState") or {}
    waiting = state.get("waiting") or {}
    return ContainerStatus(
        name=str(container.get("name")),
        image=str(container.get("image") or ""),
        init=init,
        sidecar=init and container.get("restartPolicy") == "Always",
        image_id=str(found.get("imageID") or ""),
        ready=bool(found.get("ready")),
        running=bool(state.get("running") is not None and "running" in state),
        restarts=shape.number(found.get("restartCount")),
        waiting=str(waiting.get("reason") or ""),
        message=str(waiting.get("message") or ""),
        ended=_ended(state.get("terminated"), skew),
        last=_ended(last.get("terminated"), skew),
    )


def _ended(value: Any, skew: float) -> Ended | None:
    if not isinstance(value, dict):
        return None
    return Ended(
        code=shape.number(value.get("exitCode")),
        signal=shape.number(value.get("signal")),
        reason=str(value.get("reason") or ""),
        message=str(value.get("message") or ""),
        finished=shape.moment(value.get("finishedAt"), skew),
    )


def happening(item: Json, skew: float = 0.0) -> Happening:
    """Return a core/v1 Event; each of its stamps may be null."""
    series, about = item.get("series") or {}, item.get("involvedObject") or {}
    created = (item.get("metadata") or {}).get("creationTimestamp")
    last = series.get("lastObservedTime") or item.get("lastTimestamp") or item.get("eventTime")
    last = last or item.get("firstTimestamp") or created
    first = item.get("firstTimestamp") or item.get("eventTime") or created
    return Happening(
        about=str(about.get("uid") or ""),
        where=f"{about.get('kind') or ''} {about.get('name') or ''}".strip(),
        type=str(item.get("type") or ""),
        reason=str(item.get("reason") or ""),
        message=str(item.get("message") or ""),
        count=max(shape.number(series.get("count")), shape.number(item.get("count")), 1),
        first=shape.moment(first, skew),
        last=shape.moment(last, skew),
    )
