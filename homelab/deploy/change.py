"""``deploy restart`` and ``deploy rollback``: the two ways to change a template without a new commit.

Both refuse what would not last: a paused workload does not roll, and a GitOps owner puts a template
back. Layer: the deploy domain's use case.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

from homelab.clock import Clock
from homelab.deploy import once
from homelab.deploy.gitops import ownership
from homelab.deploy.gitops.owner import owner_view
from homelab.deploy.history import live_number, revisions
from homelab.deploy.kinds.table import KINDS
from homelab.deploy.model import Revision, Workload
from homelab.deploy.shape import HASH_LABELS, fingerprint
from homelab.errors import HttpStatus, NothingThere, PersonNeeded, UsageError
from homelab.kube.port import JSON_PATCH, STRATEGIC_PATCH, Cluster, Json
from homelab.outcome import Outcome
from homelab.result import Result
from homelab.settings.model import DeployTarget

RESTARTED_AT = "kubectl.kubernetes.io/restartedAt"


@dataclass(frozen=True, slots=True)
class ChangeResult(Result):
    """What was changed, and how the cluster can be asked about it."""

    target: str = ""
    image: str = ""
    container: str = ""
    revision: int = 0
    #: Nothing had to be changed.
    unchanged: bool = False

    def lines(self) -> list[str]:
        """Return the command that follows the change."""
        if self.unchanged:
            return []
        return [f"next: homelab deploy wait {self.target} --image {self.image} --container {self.container}"]

    def record(self) -> dict[str, Any]:
        """Return the fields."""
        return {
            "target": self.target,
            "image": self.image,
            "container": self.container,
            "revision": self.revision,
            "unchanged": self.unchanged,
        }


def restart(cluster: Cluster, target: DeployTarget, *, clock: Clock, context: str | None = None) -> ChangeResult:
    """Make every pod anew from the same template, as ``kubectl rollout restart`` does.

    ``context`` is the one that was typed, for the command that follows.

    Raises PersonNeeded for a paused workload, UsageError for a kind that cannot.
    """
    workload = _changeable(cluster, target, clock=clock)
    stamp = datetime.fromtimestamp(clock.now(), UTC).isoformat(timespec="seconds")
    if workload.kind == "rollout":
        body: Json = {"spec": {"restartAt": stamp.replace("+00:00", "Z")}}
    else:
        body = {"spec": {"template": {"metadata": {"annotations": {RESTARTED_AT: stamp}}}}}
    cluster.patch(_path(workload), body)
    first = workload.containers[0]
    return ChangeResult(
        Outcome.DONE,
        f"{target.slug}: restarting",
        target=_typed(workload, context),
        image=first.image,
        container=first.name,
    )


def rollback(
    cluster: Cluster,
    target: DeployTarget,
    *,
    to: int | None,
    clock: Clock,
    force: bool = False,
    context: str | None = None,
) -> ChangeResult:
    """Put the template of an earlier revision back; ``to`` None: the last one that differs.

    Raises PersonNeeded where a GitOps owner would revert it at once, NothingThere for a revision
    that is not kept.
    """
    workload = _changeable(cluster, target, clock=clock)
    if not force:
        _refuse_reverted(cluster, workload, now=clock.now())
    found = revisions(cluster, workload)
    live = live_number(workload, [revision for revision, _ in found])
    revision, item = _chosen(workload, found, live, to)
    first = revision.containers[0] if revision.containers else workload.containers[0]
    if revision.number == live:
        return ChangeResult(
            Outcome.DONE, f"{target.slug}: revision {live} is live already", revision=live, unchanged=True
        )
    _put_back(cluster, workload, item)
    return ChangeResult(
        Outcome.DONE,
        f"{target.slug}: rolling back from revision {live} to {revision.number}",
        target=_typed(workload, context),
        image=first.image,
        container=first.name,
        revision=revision.number,
    )


def _typed(workload: Workload, context: str | None = None) -> str:
    at = f"@{context}" if context else ""
    kind = "" if workload.kind == "deployment" else f"{workload.kind}/"
    return f"{workload.namespace}/{kind}{workload.name}{at}"


def _path(workload: Workload) -> str:
    return KINDS[workload.kind].path(workload.namespace, workload.name)


def _changeable(cluster: Cluster, target: DeployTarget, *, clock: Clock) -> Workload:
    if target.kind in ("job", "cronjob"):
        raise UsageError(
            f"{target.slug}: a {target.kind} does not roll",
            why="its template never changes, or nothing runs from it yet",
            fix=f"kubectl create job --from={target.kind}/{target.name} NAME -n {target.namespace}",
        )
    workload = once.workload_of(once.look(cluster, once.known(target), clock=clock), target)
    if workload.paused:
        raise PersonNeeded(
            f"{target.slug}: paused, so nothing would roll",
            why="somebody paused it; nothing was changed",
            fix=f"kubectl rollout resume {workload.kind}/{workload.name} -n {workload.namespace}",
        )
    return workload


def _refuse_reverted(cluster: Cluster, workload: Workload, *, now: float) -> None:
    owner = ownership.owner_of(workload)
    if owner is None or not owner.reverts:
        return
    view = owner_view(cluster, workload, now=now, before=ownership.unread(owner, "not answered"))
    if view is None or not view.reverts:
        # Its marks were copied from another object, or it leaves a changed template alone.
        return
    raise PersonNeeded(
        f"{workload.slug}: {owner.shown} owns its template and would put it back at once",
        why="it applies what its git repository says; nothing was changed",
        fix="revert the commit in the GitOps repository; --force changes it all the same",
    )


def _chosen(workload: Workload, found: list[tuple[Revision, Json]], live: int, to: int | None) -> tuple[Revision, Json]:
    """Return the revision to go back to: the one asked for, else the newest earlier one with other images.

    Where all images are the same, the newest with another template; a restart alone is no difference.
    """
    by_number = {revision.number: (revision, item) for revision, item in found}
    number = to if to is not None else _earlier(workload, by_number, live)
    if number not in by_number:
        kept = ", ".join(str(number) for number in sorted(by_number)) or "none"
        lacking = f"no revision {number}" if to is not None else "no earlier revision that differs from the live one"
        raise NothingThere(
            f"{workload.slug}: {lacking}",
            why=f"kept are: {kept}",
            fix=f"homelab deploy history {_typed(workload)}",
        )
    return by_number[number]


def _earlier(workload: Workload, by_number: dict[int, tuple[Revision, Json]], live: int) -> int:
    """Return the number of the newest earlier revision that differs, images first; 0 where there is none."""
    earlier = [number for number in by_number if number < live]
    images = {container.image for container in workload.containers}
    others = [n for n in earlier if {container.image for container in by_number[n][0].containers} != images]
    if others or live not in by_number:
        return max(others or earlier, default=0)
    now = _template(by_number[live][1])
    return max((number for number in earlier if _template(by_number[number][1]) != now), default=0)


def _template(item: Json) -> str:
    """Return the fingerprint of a revision's template without the stamp of a restart."""
    holder = item.get("data") or item
    template = (holder.get("spec") or {}).get("template") or {}
    about = dict(template.get("metadata") or {})
    about["annotations"] = {k: v for k, v in (about.get("annotations") or {}).items() if k != RESTARTED_AT}
    return fingerprint({**template, "metadata": about})


def _put_back(cluster: Cluster, workload: Workload, item: Json) -> None:
    """Write the revision's template, only if nobody changed the spec since it was read."""
    if workload.kind in ("statefulset", "daemonset"):
        cluster.patch(_path(workload), item.get("data") or {}, content_type=STRATEGIC_PATCH)
        return
    template = dict((item.get("spec") or {}).get("template") or {})
    about = dict(template.get("metadata") or {})
    about["labels"] = {key: value for key, value in (about.get("labels") or {}).items() if key not in HASH_LABELS}
    template["metadata"] = about
    operations: list[Json] = [
        {"op": "test", "path": "/metadata/generation", "value": workload.generation},
        {"op": "replace", "path": "/spec/template", "value": template},
    ]
    try:
        cluster.patch(_path(workload), operations, content_type=JSON_PATCH)
    except HttpStatus as error:
        if error.status not in (HTTPStatus.CONFLICT, HTTPStatus.UNPROCESSABLE_ENTITY):
            raise
        raise PersonNeeded(
            f"{workload.slug}: somebody changed it at the same moment",
            why=error.why,
            fix=f"nothing was changed; look, then run it again: homelab deploy status {_typed(workload)}",
        ) from error
