"""A GitOps object followed by its own word: is it there, held back, broken, at the commit that is asked for.

Layer: the deploy domain, above composite and owner, below what is followed through it.
"""

from __future__ import annotations

from datetime import UTC, datetime
from http import HTTPStatus

from homelab.deploy import events as said
from homelab.deploy.composite import Composite
from homelab.deploy.gitops import ownership
from homelab.deploy.gitops.delivery import Delivery, delivered, doubt, tried_in_vain
from homelab.deploy.gitops.owner import ask_to_look_now, view_of, with_parent
from homelab.deploy.judgement import Proof, State, Verdict
from homelab.deploy.model import GitOps
from homelab.errors import HttpStatus, Unreachable

#: What the object says must stand this long to count: it is often said in passing.
STUCK_SECONDS, FAILED_SECONDS = 30.0, 60.0
READ_APART = 2.0


class GitOpsObject(Composite):
    """Reads one object again and again, says what changed, and judges what needs no workload."""

    _looks = 0
    _read_at = float("-inf")
    _asked = False

    def _read(self) -> GitOps | None:
        """Return what it says; None where it is not there. An answer that fails later is worth the one before.

        Watches of its workloads may ring all the time: it is read at most every :data:`READ_APART` seconds.
        """
        at = self._clock.monotonic()
        if at - self._read_at < READ_APART:
            return self.snapshot.gitops
        self._read_at = at
        try:
            view = self._viewed(self.target.kind, self.target.namespace, self.target.name)
        except Unreachable:
            if not self._looks:
                raise
            view = self.snapshot.gitops
        self._looks += 1
        return view

    def _viewed(self, kind: str, namespace: str, name: str) -> GitOps | None:
        now = self._clock.now()
        try:
            view = view_of(self.cluster_port, kind, ownership.path_of(kind, namespace, name), now=now)
        except HttpStatus as error:
            if error.status == HTTPStatus.NOT_FOUND:
                return None
            raise
        asked = kind == "helmrelease" and self.expectation.gitops is not None
        return with_parent(self.cluster_port, view, now=now) if asked else view

    def _refresh(self, view: GitOps) -> None:
        """Ask it, once, to look now; a refusal costs a line, not the wait."""
        if not self.expectation.refresh or self._asked:
            return
        self._asked = True
        stamp = datetime.fromtimestamp(self._clock.now(), UTC).isoformat()
        refused = ask_to_look_now(self.cluster_port, view, stamp=stamp)
        self._emit(said.GitOpsAsked(self.slug, owner=view.shown, refused=refused))

    def _say(self, view: GitOps) -> None:
        before = self.snapshot.gitops
        if before is None or before.summary != view.summary:
            self._emit(
                said.GitOpsSeen(
                    self.slug, owner=view.shown, summary=view.summary, revision=view.revision, stuck=view.stuck
                )
            )

    def _absent(self, left: float) -> Verdict:
        if left > 0:
            return Verdict(State.REFERENCE, "no such object yet", again=left)
        _, plural = ownership.APIS[self.target.kind]
        hint = f"kubectl get {plural} -n {self.target.namespace}"
        return Verdict(State.ABSENT, f"no such {self.target.kind}", reason="absent", hint=hint)

    def _obstructed(self, view: GitOps, left: float, now: float) -> Verdict | None:
        """Return what stands between the object and its work: a person's turn, an error, the wrong commit."""
        if self._stands("stuck", view.stuck, now) >= STUCK_SECONDS:
            return Verdict(State.NEEDS_ACTION, f"{view.shown} {view.stuck}", reason="gitops", hint=view.hint)
        if self._stands("error", view.error, now) >= FAILED_SECONDS:
            return Verdict(State.FAILED, f"{view.shown}: {view.error}", reason="gitops", hint=view.hint)
        return self._undelivered(view, left)

    def _undelivered(self, view: GitOps, left: float) -> Verdict | None:
        """Return what the object lacks of the GitOps commit that is asked for; None where it lacks nothing."""
        wanted = self.expectation.gitops
        if wanted is None:
            return None
        if tried_in_vain(view, wanted):
            return Verdict(State.FAILED, f"{view.shown}: {view.failed or view.error}", reason="gitops", hint=view.hint)
        found = delivered(view, wanted)
        if found is Delivery.APPLIED:
            return None
        why = doubt(view, wanted) if found is Delivery.UNKNOWN else view.summary
        if left > 0:
            return Verdict(State.REFERENCE, f"wants GitOps commit {wanted.shown}; {why}", again=left)
        if found is Delivery.UNKNOWN:
            hint = self.expectation.again("--gitops-repo", "PATH")
            return Verdict(State.NEEDS_ACTION, f"{view.shown}: {why}", reason="ancestry", hint=hint)
        late = f"{view.shown} never applied GitOps commit {wanted.shown} in {self.expectation.reference_timeout:.0f} s"
        return Verdict(State.REFERENCE_TIMEOUT, f"{late}; {view.summary}", reason="gitops-commit", hint=view.hint)

    def _settled(self, view: GitOps, sentence: str, skipped: str, *, began: float, now: float) -> Verdict:
        """Judge by its own word alone: it must be settled, and stay so for the hold."""
        if self._stands("failed", view.failed, now) >= FAILED_SECONDS:
            return Verdict(State.FAILED, f"{view.shown}: {view.failed}", reason="gitops", hint=view.hint)
        held, hold = self._stands("ready", "ready" if view.settled else "", now), self.expectation.stable_for
        if view.settled and held >= hold:
            return Verdict(State.COMPLETE, f"{sentence}, proof: object ({skipped})", proof=Proof.OBJECT)
        if view.settled:
            return Verdict(State.HOLDING, f"{view.summary}, must stay so {hold:.0f} s", again=hold - held)
        left = (self.began if self.expectation.overall else began) + self.expectation.timeout - now
        if left > 0:
            return Verdict(State.PROGRESSING, view.summary, again=left)
        return Verdict(State.TIMEOUT, f"not done in {self.expectation.timeout:.0f} s: {view.summary}", hint=view.hint)
