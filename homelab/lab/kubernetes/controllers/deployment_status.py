"""What a Deployment's status says: counters, conditions, and whether the rollout moves. Layer: pure.

From ``pkg/controller/deployment/{sync,progress}.go`` and ``util/deployment_util.go``.
"""

from __future__ import annotations

from homelab.lab.kubernetes.controllers.rollout_sizes import limits, size, want
from homelab.lab.kubernetes.objects import Object, condition, copy, name_of, seconds, stamp

NO_DEADLINE = 2147483647


def set_condition(status: Object, now: float, name: str, value: str, *, reason: str, message: str) -> None:
    """Put a condition into ``status``; one with the same status and reason is left as it is."""
    found = condition({"status": status}, name)
    if found and (found["status"], found["reason"]) == (value, reason):
        return
    replace_condition(status, now, name, value, reason=reason, message=message)


def replace_condition(status: Object, now: float, name: str, value: str, *, reason: str, message: str) -> None:
    """Put a condition into ``status``, fresh; the transition time moves only with the value."""
    found = condition({"status": status}, name)
    kept = found is not None and found["status"] == value
    fresh = {
        "type": name,
        "status": value,
        "lastUpdateTime": stamp(now),
        "lastTransitionTime": found["lastTransitionTime"] if found and kept else stamp(now),
        "reason": reason,
        "message": message,
    }
    status["conditions"] = [*(c for c in status.get("conditions") or [] if c["type"] != name), fresh]


def drop_condition(status: Object, name: str) -> None:
    """Take a condition out of ``status``."""
    status["conditions"] = [found for found in status.get("conditions") or [] if found["type"] != name]


def has_deadline(deployment: Object) -> bool:
    """Say whether the rollout is timed."""
    deadline = deployment["spec"].get("progressDeadlineSeconds")
    return deadline is not None and deadline != NO_DEADLINE


def counted(deployment: Object, sets: list[Object], new: Object | None, now: float) -> Object:
    """Return a fresh status with counters and the Available condition; the other conditions are the old ones."""
    status: Object = {"conditions": copy(deployment["status"].get("conditions") or [])}
    available = _sum(sets, "availableReplicas")
    counters = {
        "observedGeneration": deployment["metadata"]["generation"],
        "replicas": _sum(sets, "replicas"),
        "updatedReplicas": _sum([new] if new else [], "replicas"),
        "readyReplicas": _sum(sets, "readyReplicas"),
        "availableReplicas": available,
        "unavailableReplicas": max(0, sum(map(size, sets)) - available),
        "terminatingReplicas": _sum(sets, "terminatingReplicas"),
    }
    status |= {key: value for key, value in counters.items() if value}
    if collisions := deployment["status"].get("collisionCount"):
        status["collisionCount"] = collisions
    _, unavailable = limits(deployment)
    if available >= want(deployment) - unavailable:
        text = "Deployment has minimum availability."
        set_condition(status, now, "Available", "True", reason="MinimumReplicasAvailable", message=text)
    else:
        text = "Deployment does not have minimum availability."
        set_condition(status, now, "Available", "False", reason="MinimumReplicasUnavailable", message=text)
    return status


def _sum(sets: list[Object], counter: str) -> int:
    return sum(int(item["status"].get(counter, 0)) for item in sets)


def complete(deployment: Object, status: Object) -> bool:
    """Say whether every wanted pod is new and available and the spec was seen."""
    counters = ("updatedReplicas", "replicas", "availableReplicas")
    return all(status.get(counter, 0) == want(deployment) for counter in counters)


def progressing(old: Object, new: Object) -> bool:
    """Say whether a counter moved towards the goal between two statuses."""

    def left(status: Object) -> int:
        return int(status.get("replicas", 0) - status.get("updatedReplicas", 0))

    risen = any(
        new.get(name, 0) > old.get(name, 0) for name in ("updatedReplicas", "readyReplicas", "availableReplicas")
    )
    return risen or left(new) < left(old)


def deadline_in(deployment: Object, status: Object, now: float) -> float | None:
    """Return the seconds until the progress deadline (0 when past), None when nothing is timed."""
    found = condition({"status": status}, "Progressing")
    if (
        not has_deadline(deployment)
        or found is None
        or found["reason"] in ("NewReplicaSetAvailable", "ProgressDeadlineExceeded")
    ):
        return None
    due = seconds(found["lastUpdateTime"]) + float(deployment["spec"]["progressDeadlineSeconds"])
    return max(0.0, due - now)


def judge_progress(deployment: Object, status: Object, new: Object | None, now: float) -> None:
    """Set the Progressing condition of a fresh ``status``, as syncRolloutStatus does."""
    if not has_deadline(deployment):
        drop_condition(status, "Progressing")
        return
    found = condition(deployment, "Progressing")
    settled = found is not None and found["reason"] == "NewReplicaSetAvailable"
    if settled and status.get("replicas", 0) == status.get("updatedReplicas", 0):
        return
    subject = f'ReplicaSet "{name_of(new)}"' if new else f'Deployment "{name_of(deployment)}"'
    if complete(deployment, status):
        text = f"{subject} has successfully progressed."
        set_condition(status, now, "Progressing", "True", reason="NewReplicaSetAvailable", message=text)
    elif progressing(deployment["status"], status):
        replace_condition(
            status, now, "Progressing", "True", reason="ReplicaSetUpdated", message=f"{subject} is progressing."
        )
    elif deadline_in(deployment, status, now) == 0.0:
        text = f"{subject} has timed out progressing."
        set_condition(status, now, "Progressing", "False", reason="ProgressDeadlineExceeded", message=text)


def copy_failure(status: Object, sets: list[Object], new: Object | None, now: float) -> None:
    """Carry a ReplicaSet's ReplicaFailure over, the new one's first; drop it when there is none."""
    found = [failure for item in ([new] if new else []) + sets if (failure := condition(item, "ReplicaFailure"))]
    if not found:
        drop_condition(status, "ReplicaFailure")
        return
    set_condition(
        status, now, "ReplicaFailure", found[0]["status"], reason=found[0]["reason"], message=found[0]["message"]
    )
