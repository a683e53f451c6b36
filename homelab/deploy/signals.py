"""What is wrong with a pod, by class: the signs alone, without patience. Pure.

Reasons are the kubelet's (pkg/kubelet/images/types.go, kuberuntime) and the scheduler's; the cause
of a failed pull stands only in its text. Layer: the deploy domain, above its model.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from homelab.deploy.model import ContainerStatus, Happening, Pod, Revision

IMAGE_INVALID = frozenset({"InvalidImageName", "ErrImageNeverPull", "SignatureValidationFailed"})
PULLING = frozenset({"ErrImagePull", "ImagePullBackOff", "RegistryUnavailable", "ImageInspectError"})
SANDBOX = frozenset({"CreateContainerError", "RunContainerError", "CreatePodSandboxError"})
START_REASONS = frozenset({"StartError", "ContainerCannotRun"})
START_CODES = frozenset({126, 127})
START_TEXTS = ("exec format error", "no such file", "executable file not found")
SANDBOX_CODE = 128
IMAGE_MISSING = "image-missing"
#: The registry has the image, and none of it for the node.
OTHER_PLATFORM = "no match for platform"
MISSING = ("not found", "manifest unknown", "name unknown", OTHER_PLATFORM, "not_found", "does not exist")
DENIED = ("unauthorized", "denied", "forbidden", "authentication required", "no basic auth")
CACHE_SYNC = ("failed to sync configmap cache", "failed to sync secret cache")
VOLUME_EVENTS = frozenset({"FailedMount", "FailedAttachVolume"})
#: What the kubelet does once volumes are mounted and the sandbox stands.
FURTHER = frozenset({"Pulling", "Pulled", "Created", "Started", "AddedInterface"})
UNBOUND = "unbound immediate persistentvolumeclaims"


@dataclass(frozen=True, slots=True)
class Signal:
    """One sign on one container or pod. ``since`` is the server's stamp where there is one."""

    kind: str
    pod: str
    uid: str
    reason: str
    message: str
    container: str = ""
    init: bool = False
    image: str = ""
    since: float | None = None
    restarts: int = 0
    #: CrashLoopBackOff stands right now.
    looping: bool = False
    killed: bool = False
    #: It cannot get better by trying again: an init container that may not restart.
    final: bool = False
    #: It may last as long as the budget: the autoscaler is at work, old pods are about to free the quota.
    patient: bool = False
    #: It is no node's trouble: a sibling that runs says nothing against it.
    lasting: bool = False


def of_pod(pod: Pod, events: tuple[Happening, ...], causes: Mapping[tuple[str, str], str]) -> list[Signal]:
    """Return every sign on a pod that is not Ready. ``causes`` remembers why a pull failed."""
    if pod.ready or not pod.live:
        return []
    mine = tuple(event for event in events if event.about == pod.uid)
    found = [
        signal
        for container in pod.containers
        for signal in (_of_container(pod, container, mine, causes.get((pod.uid, container.name), "")),)
        if signal is not None
    ]
    found += _of_placement(pod, mine)
    return found or _of_readiness(pod, mine)


def _of_readiness(pod: Pod, events: tuple[Happening, ...]) -> list[Signal]:
    """Return the sign of a container that runs and is not ready: worth a line, never a failure by itself."""
    for container in pod.containers:
        if container.running and not container.ready and not container.init:
            probes = [event for event in events if event.reason == "Unhealthy"]
            newest = max(probes, key=lambda event: event.last or 0.0, default=None)
            message = newest.message if newest else "it runs, its readiness probe does not pass"
            return [_signal(pod, container, "readiness", "not ready", message, events=events)]
    return []


def pull_cause(pod: Pod, container: ContainerStatus, events: tuple[Happening, ...]) -> str:
    """Return the text that says why the image cannot be pulled, from the status or an event, or ""."""
    if container.waiting == "ErrImagePull" or _telling(container.message):
        return container.message
    for event in sorted(events, key=lambda event: event.last or 0, reverse=True):
        if event.about == pod.uid and event.reason == "Failed" and container.image in event.message:
            return event.message
    return ""


def short_cause(message: str, image: str) -> str:
    """Return what a failed pull says after it has named the image for the last time: ``not found``."""
    text = " ".join(message.split())
    _, named, after = text.rpartition(image)
    return after.lstrip('": ') if named and after.strip('": ') else text


def _telling(message: str) -> bool:
    lowered = message.lower()
    return any(text in lowered for text in (*MISSING, *DENIED, "timeout", "no such host", "tls", "429"))


def _of_container(
    pod: Pod, container: ContainerStatus, events: tuple[Happening, ...], remembered: str
) -> Signal | None:
    if container.waiting in IMAGE_INVALID | PULLING:
        cause = pull_cause(pod, container, events) or remembered or container.message
        return _signal(pod, container, _image_class(container.waiting, cause), container.waiting, cause, events=events)
    if container.waiting == "CreateContainerConfigError":
        if any(text in container.message for text in CACHE_SYNC):
            return None
        return _signal(pod, container, "config", container.waiting, container.message, events=events)
    ended = container.ended or container.last
    if _cannot_start(container):
        reason = ended.reason if ended and ended.reason in START_REASONS else container.waiting
        message = (ended.message if ended else "") or container.message
        return _signal(pod, container, "start", reason or "StartError", message, events=events)
    if container.waiting in SANDBOX or (ended and ended.code == SANDBOX_CODE and not container.ready):
        return _signal(pod, container, "sandbox", container.waiting or "exit 128", container.message, events=events)
    return _crash(pod, container, events)


def _cannot_start(container: ContainerStatus) -> bool:
    texts = container.message.lower()
    for ended in (container.ended, container.last):
        if ended is None:
            continue
        if ended.reason in START_REASONS or ended.code in START_CODES:
            return True
        texts += ended.message.lower()
    broken = container.waiting in SANDBOX or container.waiting == "CrashLoopBackOff"
    return broken and any(text in texts for text in START_TEXTS)


def _crash(pod: Pod, container: ContainerStatus, events: tuple[Happening, ...]) -> Signal | None:
    ended = container.ended or container.last
    failed_now = container.ended is not None and (container.ended.code != 0 or not container.init)
    if container.waiting != "CrashLoopBackOff" and not failed_now and not (container.restarts and not container.ready):
        return None
    if container.init and container.ended and container.ended.code == 0:
        return None
    reason = _ending(container)
    message = (ended.message if ended else "") or ("" if container.waiting else container.message)
    return _signal(pod, container, "crash", reason, message, events=events)


def _ending(container: ContainerStatus) -> str:
    """Say how it ended: ``OOMKilled``, ``exit 3``, ``signal 9``, or that it ends at once."""
    ended = container.ended or container.last
    if ended is None:
        return container.waiting or "restarted"
    if ended.reason == "OOMKilled":
        return "OOMKilled"
    if ended.signal:
        return f"signal {ended.signal}"
    return f"exit {ended.code}" if ended.code else "exit 0: the process ends at once"


def _signal(
    pod: Pod,
    container: ContainerStatus,
    kind: str,
    reason: str,
    message: str,
    *,
    events: tuple[Happening, ...],
) -> Signal:
    ended = container.ended or container.last
    failed = container.init and not container.sidecar and container.ended is not None and container.ended.code != 0
    return Signal(
        kind=kind,
        pod=pod.name,
        uid=pod.uid,
        reason=reason,
        message=message,
        container=container.name,
        init=container.init,
        image=container.image,
        since=_since(container, kind, events),
        restarts=container.restarts,
        looping=container.waiting == "CrashLoopBackOff",
        killed=bool(ended and ended.reason == "OOMKilled"),
        final=failed and pod.restart_policy == "Never",
    )


def _since(container: ContainerStatus, kind: str, events: tuple[Happening, ...]) -> float | None:
    """Return the first stamp of the event that belongs to the sign; a waiting state has none of its own."""
    if not kind.startswith("image"):
        return None
    stamps = [
        event.first
        for event in events
        if event.first is not None
        and event.reason in ("Failed", "InspectFailed", "ErrImageNeverPull")
        and container.image in event.message
    ]
    return min(stamps, default=None)


def _image_class(reason: str, cause: str) -> str:
    if reason in IMAGE_INVALID:
        return "image-invalid"
    lowered = cause.lower()
    # Denied first: registries that hide what exists say both in one sentence.
    if any(text in lowered for text in DENIED):
        return "image-auth"
    if any(text in lowered for text in MISSING) and "no such host" not in lowered:
        return IMAGE_MISSING
    return "image-other"


def _of_placement(pod: Pod, events: tuple[Happening, ...]) -> list[Signal]:
    """Return signs of the pod as a whole: not scheduled, no volume, no sandbox."""
    found = []
    placed = pod.scheduled
    if placed is not None and placed.status == "False" and placed.reason == "Unschedulable":
        kind = "volume" if UNBOUND in placed.message.lower() else "scheduling"
        growing = pod.nominated or any(event.reason == "TriggeredScaleUp" for event in events)
        found.append(_placement(pod, kind, placed.reason, placed.message, placed.since, patient=growing))
    if pod.prepared or any(container.running or container.waiting in PULLING for container in pod.containers):
        return found
    # Events stay when their cause has gone; a later one tells that the pod got further.
    further = max((event.last or 0.0 for event in events if event.reason in FURTHER), default=0.0)
    for event in events:
        if (event.last or 0.0) < further:
            continue
        if event.reason in VOLUME_EVENTS:
            found.append(_placement(pod, "volume", event.reason, event.message, event.first))
        elif event.reason == "FailedCreatePodSandBox":
            found.append(_placement(pod, "sandbox", event.reason, event.message, event.first))
    return list({signal.kind: signal for signal in found}.values())


def _placement(pod: Pod, kind: str, reason: str, message: str, since: float | None, *, patient: bool = False) -> Signal:
    return Signal(kind=kind, pod=pod.name, uid=pod.uid, reason=reason, message=message, since=since, patient=patient)


def of_creation(
    revision: Revision | None, uid: str, events: tuple[Happening, ...], *, begun: float | None = None
) -> list[Signal]:
    """Return the sign that pods cannot even be made: the revision's own condition, or events about its maker.

    Its maker may have made other revisions: what happened last before ``begun`` is about one of those.
    """
    if revision is not None:
        for condition in revision.conditions:
            if condition.type == "ReplicaFailure" and condition.status == "True":
                return [_creation(uid, condition.reason, condition.message, condition.since)]
        if revision.conditions or revision.available >= revision.want:
            return []
    failed = [event for event in events if event.about == uid and event.reason == "FailedCreate"]
    ours = [event for event in failed if begun is None or event.last is None or event.last >= begun]
    if not ours:
        return []
    newest = max(ours, key=lambda event: event.last or 0)
    since = newest.first if newest.first is None or begun is None else max(newest.first, begun)
    return [_creation(uid, newest.reason, newest.message, since)]


def _creation(uid: str, reason: str, message: str, since: float | None) -> Signal:
    kind = "quota" if "exceeded quota" in message.lower() else "create"
    return Signal(kind=kind, pod="", uid=uid, reason=reason, message=message, since=since)
