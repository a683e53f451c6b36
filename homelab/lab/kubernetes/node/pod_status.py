"""A pod's status, read off its containers. Layer: pure.

From ``pkg/kubelet/status/generate.go`` and ``pkg/kubelet/kubelet_pods.go``.
"""

from __future__ import annotations

from homelab.lab.kubernetes.node.container import Container, State
from homelab.lab.kubernetes.node.runs import terminated
from homelab.lab.kubernetes.objects import Object, condition, copy, stamp


def container_status(container: Container, *, pod_initializing: bool) -> Object:
    """Return one entry of ``containerStatuses``."""
    reference = container.reference
    digest = container.image.digest if container.image else ""
    last = container.previous if _shows_run(container) else container.run
    status: Object = {
        "name": container.name,
        "state": _state(container, pod_initializing=pod_initializing),
        "lastState": {"terminated": terminated(last)} if last and last.ended is not None else {},
        "ready": container.ready(),
        "restartCount": container.restarts,
        "image": str(reference) if reference else container.image_text,
        "imageID": f"{reference.name}@{digest}" if reference and digest else "",
        "started": container.started,
    }
    run = container.run or container.previous
    if run:
        status["containerID"] = run.container_id
    return status


def _shows_run(container: Container) -> bool:
    """Say whether the state is that of the last run; a container that is held back shows why instead."""
    run = container.run
    return run is not None and (run.ended is None or container.state is State.ENDED or not container.reason)


def _state(container: Container, *, pod_initializing: bool) -> Object:
    run = container.run
    if run and _shows_run(container):
        return {"running": {"startedAt": stamp(run.started)}} if run.ended is None else {"terminated": terminated(run)}
    reason = container.reason or ("PodInitializing" if pod_initializing else "ContainerCreating")
    return {"waiting": {"reason": reason, **({"message": container.message} if container.message else {})}}


def phase_of(containers: list[Container], inits: list[Container], policy: str) -> str:
    """Return the pod's phase."""
    if any(one.failed_for_good for one in inits):
        return "Failed"
    if not all(one.succeeded for one in inits):
        return "Pending"
    if containers and all(one.state is State.ENDED for one in containers) and policy != "Always":
        return "Succeeded" if all(one.succeeded for one in containers) else "Failed"
    if any(one.run or one.previous for one in containers):
        return "Running"
    return "Pending"


def conditions(
    pod: Object, containers: list[Container], inits: list[Container], phase: str, now: float
) -> list[Object]:
    """Return the pod's conditions; transition times move only with the value."""
    initialized = all(one.succeeded for one in inits)
    unready = [one.name for one in containers if not one.ready()]
    done = phase == "Succeeded"
    why = ("", "")
    if done:
        why = ("PodCompleted", "")
    elif unready:
        why = ("ContainersNotReady", f"containers with unready status: [{' '.join(unready)}]")
    waiting = [one.name for one in inits if not one.succeeded]
    lacking = (
        ("", "")
        if initialized
        else (
            "ContainersNotInitialized",
            f"containers with incomplete status: [{' '.join(waiting)}]",
        )
    )
    good = not unready and not done and initialized
    wanted = [
        ("PodReadyToStartContainers", phase in ("Pending", "Running"), ("", "")),
        ("Initialized", initialized, ("PodCompleted", "") if done else lacking),
        ("Ready", good, why),
        ("ContainersReady", good, why),
        ("PodScheduled", True, ("", "")),
    ]
    return [_condition(pod, name, value=value, why=text, now=now) for name, value, text in wanted]


def _condition(pod: Object, name: str, *, value: bool, why: tuple[str, str], now: float) -> Object:
    shown = "True" if value else "False"
    before = condition(pod, name)
    same = before is not None and before["status"] == shown
    made: Object = {
        "type": name,
        "status": shown,
        "lastProbeTime": None,
        "lastTransitionTime": before["lastTransitionTime"] if before and same else stamp(now),
    }
    reason, message = why
    if reason:
        made["reason"] = reason
    if message:
        made["message"] = message
    return made


def pod_status(
    pod: Object, containers: list[Container], inits: list[Container], address: tuple[str, str], now: float
) -> Object:
    """Return the whole status; ``address`` is (host IP, pod IP)."""
    status: Object = copy(pod["status"])
    phase = phase_of(containers, inits, str(pod["spec"].get("restartPolicy", "Always")))
    initializing = not all(one.succeeded for one in inits)
    host, ip = address
    status |= {
        "phase": phase,
        "conditions": conditions(pod, containers, inits, phase, now),
        "hostIP": host,
        "hostIPs": [{"ip": host}],
        "podIP": ip,
        "podIPs": [{"ip": ip}],
        "containerStatuses": [container_status(one, pod_initializing=initializing) for one in containers],
    }
    status.setdefault("startTime", stamp(now))
    if inits:
        status["initContainerStatuses"] = [container_status(one, pod_initializing=False) for one in inits]
    return status
