"""How many pods each ReplicaSet of a Deployment may have. Layer: pure arithmetic.

From ``pkg/controller/deployment/util/deployment_util.go``.
"""

from __future__ import annotations

import math

from homelab.lab.kubernetes.objects import Object

DESIRED = "deployment.kubernetes.io/desired-replicas"
MAXIMUM = "deployment.kubernetes.io/max-replicas"


def scaled(value: object, total: int, *, up: bool) -> int:
    """Return an int-or-percent of ``total``, rounded up or down."""
    if isinstance(value, str):
        share = int(value.rstrip("%")) * total / 100
        return math.ceil(share) if up else math.floor(share)
    return int(value) if isinstance(value, int) else 0


def want(deployment: Object) -> int:
    """Return ``spec.replicas``."""
    return int(deployment["spec"].get("replicas", 1))


def rolling(deployment: Object) -> bool:
    """Say whether the strategy is RollingUpdate."""
    return bool(deployment["spec"]["strategy"]["type"] == "RollingUpdate")


def limits(deployment: Object) -> tuple[int, int]:
    """Return (maxSurge, maxUnavailable) in pods; never both zero."""
    if not rolling(deployment):
        return 0, 0
    rules = deployment["spec"]["strategy"].get("rollingUpdate") or {}
    surge = scaled(rules.get("maxSurge", "25%"), want(deployment), up=True)
    unavailable = scaled(rules.get("maxUnavailable", "25%"), want(deployment), up=False)
    if surge == 0 and unavailable == 0:
        unavailable = 1
    return surge, min(unavailable, want(deployment))


def size(replica_set: Object) -> int:
    """Return how many pods a ReplicaSet is asked for."""
    return int(replica_set["spec"].get("replicas", 1))


def new_size(deployment: Object, sets: list[Object], current: int) -> int:
    """Return the size the new ReplicaSet (now ``current``) may grow to beside all ``sets``."""
    if not rolling(deployment):
        return want(deployment)
    surge, _ = limits(deployment)
    room = want(deployment) + surge - sum(size(replica_set) for replica_set in sets)
    return current + min(room, want(deployment) - current) if room > 0 else current


def proportional_sizes(deployment: Object, sets: list[Object]) -> dict[str, int]:
    """Return the new size of each active ReplicaSet, by name, when the Deployment is scaled in mid-rollout."""
    surge, _ = limits(deployment)
    allowed = want(deployment) + surge if want(deployment) > 0 else 0
    to_add = allowed - sum(map(size, sets))
    newer_first = sorted(sets, key=lambda item: item["metadata"]["creationTimestamp"], reverse=to_add > 0)
    ordered = sorted(newer_first, key=size, reverse=True)
    sizes, added = {}, 0
    for replica_set in ordered:
        share = _share(replica_set, deployment, to_add, added)
        sizes[replica_set["metadata"]["name"]] = size(replica_set) + share
        added += share
    if ordered and to_add != added:
        largest = ordered[0]["metadata"]["name"]
        sizes[largest] = max(0, sizes[largest] + to_add - added)
    return sizes


def _share(replica_set: Object, deployment: Object, to_add: int, added: int) -> int:
    if size(replica_set) == 0 or to_add in (0, added):
        return 0
    surge, _ = limits(deployment)
    before = (replica_set["metadata"].get("annotations") or {}).get(MAXIMUM)
    basis = int(before) if before and int(before) else want(deployment)
    wanted = round(size(replica_set) * (want(deployment) + surge) / basis) if want(deployment) else 0
    share = wanted - size(replica_set)
    left = to_add - added
    return min(share, left) if to_add > 0 else max(share, left)
