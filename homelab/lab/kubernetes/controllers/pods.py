"""What controllers ask about pods: whose, active, ready, available. Layer: pure but for listing.

From ``pkg/api/v1/pod/util.go`` and ``pkg/controller/controller_utils.go``.
"""

from __future__ import annotations

from homelab.lab.kubernetes.kinds import POD
from homelab.lab.kubernetes.objects import Object, condition, deleting, name_of, owned_by, seconds, uid_of
from homelab.lab.kubernetes.store import Store


def pods_of(store: Store, owner: Object) -> list[Object]:
    """Return the pods ``owner`` controls, by uid."""
    found = [pod for kind, pod in store.dependents(uid_of(owner)) if kind == POD and owned_by(pod, owner)]
    return sorted(found, key=name_of)


def active(pod: Object) -> bool:
    """Say whether the pod counts as a replica: not finished, not on its way out."""
    return pod["status"].get("phase") not in ("Succeeded", "Failed") and not deleting(pod)


def ready(pod: Object) -> bool:
    """Say whether the pod's Ready condition is True."""
    found = condition(pod, "Ready")
    return found is not None and found["status"] == "True"


def available_in(pod: Object, min_ready_seconds: float, now: float) -> float | None:
    """Return in how many seconds a pod becomes available: 0 when it is, None while it is not ready."""
    found = condition(pod, "Ready")
    if found is None or found["status"] != "True":
        return None
    if not min_ready_seconds:
        return 0.0
    return max(0.0, seconds(found["lastTransitionTime"]) + min_ready_seconds - now)


def available(pod: Object, min_ready_seconds: float, now: float) -> bool:
    """Say whether the pod has been ready for ``min_ready_seconds``."""
    return available_in(pod, min_ready_seconds, now) == 0.0


def dispensability(pod: Object) -> tuple[int, int, int, float]:
    """Return the sort key by which pods go first when there are too many."""
    phase = {"Pending": 0, "Unknown": 1, "Running": 2}.get(pod["status"].get("phase", ""), 0)
    found = condition(pod, "Ready")
    since = seconds(found["lastTransitionTime"]) if found and found["status"] == "True" else 0.0
    return (1 if pod["spec"].get("nodeName") else 0, phase, 1 if ready(pod) else 0, -since)


def next_availability(pods: list[Object], min_ready_seconds: float, now: float) -> float | None:
    """Return the seconds until the next ready pod becomes available, None when none is about to."""
    waits = [wait for pod in pods if (wait := available_in(pod, min_ready_seconds, now))]
    return min(waits) if waits else None
