"""``deploy history``: the revisions a workload had, with image and commit. Layer: the deploy domain's use case."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from homelab.clock import Clock
from homelab.deploy import once, shape
from homelab.deploy.ages import ago
from homelab.deploy.kinds.table import CONTROLLER_REVISIONS, KINDS
from homelab.deploy.model import Revision, Workload
from homelab.deploy.reference import commits_in
from homelab.errors import UsageError
from homelab.kube.port import Cluster, Json
from homelab.outcome import Outcome
from homelab.registry.reference import parse
from homelab.result import Result
from homelab.settings.model import DeployTarget

#: Says what a commit is called: its subject, or "" where the repository does not have it.
Subject = Callable[[str], str]


def no_subject(_commit: str) -> str:
    """Know no commit."""
    return ""


@dataclass(frozen=True, slots=True)
class Past:
    """One revision: its number, images, what commit that is, and whether it is live."""

    number: int
    live: bool
    images: tuple[str, ...]
    commit: str
    subject: str
    age: float | None
    pods: int
    cause: str

    def line(self) -> str:
        """Return it for a reader."""
        mark = "*" if self.live else " "
        old = f"{ago(self.age)} old" if self.age is not None else ""
        pods = f"{self.pods} pod{'s' if self.pods > 1 else ''}" if self.pods else ""
        # A commit that can be read in the tag needs no second mention.
        commit = self.commit[:12] if self.commit and not any(self.commit in image for image in self.images) else ""
        images = ", ".join(self.images)
        about = "  ".join(part for part in (images, commit, self.subject, old, pods, self.cause) if part)
        return f"{mark} {self.number:>3}  {about}"


@dataclass(frozen=True, slots=True)
class HistoryResult(Result):
    """Revisions, newest first."""

    revisions: tuple[Past, ...] = ()

    def lines(self) -> list[str]:
        """Return a line each; the live one is marked."""
        return [past.line() for past in self.revisions]

    def record(self) -> dict[str, Any]:
        """Return every revision."""
        return {
            "revisions": [
                {
                    "revision": past.number,
                    "live": past.live,
                    "images": list(past.images),
                    "commit": past.commit,
                    "subject": past.subject,
                    "age": past.age,
                    "pods": past.pods,
                    "cause": past.cause,
                }
                for past in self.revisions
            ]
        }


def history(cluster: Cluster, target: DeployTarget, *, clock: Clock, subject: Subject = no_subject) -> HistoryResult:
    """Return the revisions the cluster still holds. Raises NothingThere, UsageError for kinds without any."""
    snapshot = once.look(cluster, once.known(target), clock=clock)
    workload = once.workload_of(snapshot, target)
    found = sorted(revisions(cluster, workload), key=lambda one: one[0].number, reverse=True)
    live = live_number(workload, [revision for revision, _ in found])
    past = tuple(_past(revision, live, clock.now(), subject) for revision, _ in found)
    return HistoryResult(
        Outcome.DONE, f"{target.slug}: {len(past)} revision{'s' if len(past) != 1 else ''}, live {live}", revisions=past
    )


def revisions(cluster: Cluster, workload: Workload) -> list[tuple[Revision, Json]]:
    """Return every owned revision with its object. Raises PermissionMissing where they may not be listed."""
    form = KINDS[workload.kind].revisions or (CONTROLLER_REVISIONS if workload.kind == "statefulset" else None)
    if form is None:
        raise UsageError(
            f"{workload.slug}: a {workload.kind} has no revisions",
            why="its template never changes",
            fix="homelab deploy status shows what it runs",
        )
    api, plural, read = form
    answer = cluster.list(
        f"{api}/namespaces/{workload.namespace}/{plural}",
        {"labelSelector": workload.selector},
        keep=lambda item: (read(item, cluster.skew), item) if shape.owned_by(item) == workload.uid else None,
    )
    return [found for found in answer["items"] if found is not None]


def live_number(workload: Workload, found: list[Revision]) -> int:
    """Return the number of the revision made from the live template."""
    if workload.revision:
        return shape.number(workload.revision)
    update = workload.facts.get("update")
    named = [revision.number for revision in found if update and revision.hash == update]
    return max(named or [revision.number for revision in found], default=0)


def _past(revision: Revision, live: int, now: float, subject: Subject) -> Past:
    # What the template's label says is the commit goes before what the tag looks like.
    told = [text for c in revision.containers for text in (*c.marks, parse(c.image).tag)]
    runs = list(dict.fromkeys(commit for text in told for commit in commits_in(text)))
    named = next(((commit, text) for commit in runs if (text := subject(commit))), None)
    return Past(
        number=revision.number,
        live=revision.number == live,
        images=tuple(dict.fromkeys(container.image for container in revision.containers)),
        commit=named[0] if named else (runs[0] if runs else ""),
        subject=named[1] if named else "",
        age=None if revision.created is None else now - revision.created,
        pods=revision.available,
        cause=revision.cause,
    )
