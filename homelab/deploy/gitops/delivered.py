"""The GitOps owner of a workload, followed until it has applied the commit that is asked for.

The workload itself is followed beside it. Layer: the deploy domain, above the GitOps object.
"""

from __future__ import annotations

from dataclasses import replace
from http import HTTPStatus

from homelab.deploy.gitops import ownership
from homelab.deploy.gitops.object import GitOpsObject
from homelab.deploy.judgement import OUTCOMES, State, Verdict
from homelab.deploy.kinds.table import KINDS
from homelab.deploy.model import GitOps, Snapshot, Workload
from homelab.errors import HttpStatus, UsageError


class Delivered(GitOpsObject):
    """Finds who owns a workload, and follows that object by its own word."""

    _owner: ownership.Owner | None = None
    #: Who follows which owner (by its path), for the workloads of one cluster: one of them asks for all.
    leaders: dict[str, Delivered] | None = None

    def look(self) -> bool:
        """Look at the owner, once it is known who that is."""
        if self.final:
            return False
        now = self._clock.now()
        left = self.began + self.expectation.reference_timeout - now
        self._owner = self._owner or self._found()
        leader = self._leader()
        if leader is not self:
            self.snapshot, self.verdict = leader.snapshot, leader.verdict
            return True
        view = self._read() if self._owner is not None else None
        if view is not None:
            self._refresh(view)
            self._say(view)
        self.snapshot = Snapshot(at=now, workload=None, gitops=view)
        concluded = self._concluded(view, left, now)
        self.verdict = replace(concluded, outcome=OUTCOMES[concluded.state])
        return True

    def _leader(self) -> Delivered:
        """Return who asks this owner; oneself where nobody does yet."""
        if self._owner is None or self.leaders is None:
            return self
        return self.leaders.setdefault(self._owner.path, self)

    def _viewed(self, kind: str, namespace: str, name: str) -> GitOps | None:
        """Read the owner, whatever the target is called."""
        assert self._owner is not None
        return super()._viewed(self._owner.kind, self._owner.namespace, self._owner.name)

    def _found(self) -> ownership.Owner | None:
        """Return the owner; None while the workload is not there. Raises UsageError where nothing of GitOps owns it."""
        target, workload = self.target, self._workload()
        if workload is None:
            return None
        owner = ownership.owner_of(workload)
        if owner is None or not owner.reverts:
            raise UsageError(
                f"{target.slug}: a GitOps commit was asked for, and neither Argo CD nor Flux owns it",
                why=f"its template is {owner.shown}'s" if owner else "it carries no mark of theirs",
                fix="leave out --gitops-sha, or name the object: NS/application/NAME",
            )
        return owner

    def _workload(self) -> Workload | None:
        kind = KINDS[self.target.kind]
        try:
            return kind.read(self.cluster_port.get(kind.path(self.target.namespace, self.target.name)), 0.0)
        except HttpStatus as error:
            if error.status == HTTPStatus.NOT_FOUND:
                return None
            raise

    def _concluded(self, view: GitOps | None, left: float, now: float) -> Verdict:
        wanted = self.expectation.gitops
        assert wanted is not None
        if view is None and self._owner is not None:
            return self._absent(left)
        if view is None:
            waiting = Verdict(State.REFERENCE, "its workload is not there yet", again=left)
            return waiting if left > 0 else Verdict(State.ABSENT, "no workload, so no owner of it", reason="absent")
        obstructed = self._obstructed(view, left, now)
        if obstructed is not None:
            return obstructed
        began = now - self._stands("applied", "applied", now)
        # Its workload is followed beside it, with a hold of its own.
        sentence = f"{view.shown} applied GitOps commit {wanted.shown}"
        return self._settled(view, sentence, "its workload is proven beside it", began=began, now=now)
