"""ResourceQuota, as far as counting objects goes. Layer: asked by every create.

Texts from ``plugin/pkg/admission/resourcequota`` (apiserver): the words ReplicaFailure conditions carry.
"""

from __future__ import annotations

from homelab.lab.kubernetes.kinds import POD, QUOTA, Kind
from homelab.lab.kubernetes.objects import Object, name_of
from homelab.lab.kubernetes.refusals import forbidden
from homelab.lab.kubernetes.store import Store


def charge(store: Store, kind: Kind, item: Object) -> None:
    """Refuse with 403 when one more of ``kind`` exceeds a quota of its namespace."""
    namespace = item["metadata"].get("namespace")
    if not namespace or kind == QUOTA:
        return
    for quota in store.list(QUOTA, namespace):
        hard = quota.get("spec", {}).get("hard") or {}
        for key in _keys(kind):
            if key in hard:
                _check(store, kind, item, quota, key)


def _keys(kind: Kind) -> tuple[str, ...]:
    counted = f"count/{kind.qualified}"
    return (kind.plural, counted) if not kind.group else (counted,)


def _check(store: Store, kind: Kind, item: Object, quota: Object, key: str) -> None:
    limit = int(quota["spec"]["hard"][key])
    used = sum(1 for present in store.list(kind, item["metadata"]["namespace"]) if not _finished(kind, present))
    if used + 1 > limit:
        why = f"exceeded quota: {name_of(quota)}, requested: {key}=1, used: {key}={used}, limited: {key}={limit}"
        raise forbidden(kind, str(item["metadata"].get("name") or ""), why)


def _finished(kind: Kind, item: Object) -> bool:
    return kind == POD and item.get("status", {}).get("phase") in ("Succeeded", "Failed")
