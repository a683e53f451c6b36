"""A CronJob followed through its next run: it has the image, then a Job it makes does the work.

Layer: the deploy domain, above composite, beside the GitOps objects.
"""

from __future__ import annotations

from dataclasses import replace

from homelab.deploy import shape
from homelab.deploy.composite import Composite
from homelab.deploy.judgement import OUTCOMES, State, Verdict
from homelab.deploy.kinds.table import CRON_JOB, JOB
from homelab.deploy.model import Workload
from homelab.deploy.pursuit import Pursuit
from homelab.errors import Unreachable
from homelab.kube.port import Json
from homelab.outcome import Outcome
from homelab.settings.model import DeployTarget


class Scheduled(Composite):
    """Follows one CronJob, then the first Job it makes from the wanted template."""

    #: Jobs that were there when the template first named the image; None before that.
    _before: frozenset[str] | None = None
    _named_at = 0.0

    def start(self) -> None:
        """Follow the CronJob."""
        self._cron = self._pursued(self.target, self.slug)

    def carrying(self) -> list[Pursuit]:
        """Return what is followed now: the CronJob, or its Job once there is one."""
        return self.pursuits[-1:]

    def look(self) -> bool:
        """Look at the CronJob, then for its next Job, then at that Job."""
        if self.final:
            return False
        for group in self.groups:
            group.look()
        now, followed = self._clock.now(), self.pursuits[-1]
        if followed is self._cron and followed.verdict.outcome is Outcome.DONE:
            self.verdict = self._awaiting(now)
        else:
            self.verdict = followed.verdict
            if followed is not self._cron:
                self.verdict = replace(
                    followed.verdict, sentence=f"{followed.target.name}: {followed.verdict.sentence}"
                )
        self.snapshot = followed.snapshot
        return True

    def _awaiting(self, now: float) -> Verdict:
        try:
            jobs = self._jobs()
        except Unreachable:
            jobs = []
        if self._before is None:
            self._before, self._named_at = frozenset(job.uid for job in jobs), now
        fresh = [job for job in jobs if job.uid not in self._before and self._cron.names_it(job)]
        if fresh:
            job = DeployTarget(self.target.namespace, fresh[0].name, JOB.name, self.target.container, self.target.image)
            self._pursued(job, f"{self.slug} → job/{job.name}")
            return Verdict(State.PROGRESSING, f"job {job.name} has begun", again=0.0)
        workload = self._cron.snapshot.workload
        schedule = workload.facts["schedule"] if workload else ""
        began = self.began if self.expectation.overall else self._named_at
        left = began + self.expectation.timeout - now
        if left > 0:
            return Verdict(State.PROGRESSING, f"waiting for its next run ({schedule})", again=left)
        name, namespace = self.target.name, self.target.namespace
        late = Verdict(
            State.TIMEOUT,
            f"no run began in {self.expectation.timeout:.0f} s ({schedule})",
            reason="timeout",
            hint=f"kubectl create job --from=cronjob/{name} {name}-now -n {namespace}",
        )
        return replace(late, outcome=OUTCOMES[late.state])

    def _jobs(self) -> list[Workload]:
        """Return the Jobs it made, oldest first."""
        uid = self._cron.memory.uid

        def keep(item: Json) -> tuple[str, Workload] | None:
            created = str((item.get("metadata") or {}).get("creationTimestamp") or "")
            return (created, JOB.read(item, self.cluster_port.skew)) if shape.owned_by(item) == uid else None

        answer = self.cluster_port.list(JOB.path(self.target.namespace), keep=keep)
        found = [one for one in answer["items"] if one is not None]
        return [job for _, job in sorted(found, key=lambda one: one[0])]

    def _pursued(self, target: DeployTarget, slug: str) -> Pursuit:
        pursuit = Pursuit(
            replace(self.expectation, target=target),
            cluster=self.cluster,
            slug=slug,
            clock=self._clock,
            emit=self._emit,
        )
        self._pursue([pursuit])
        return pursuit


def runs(target: DeployTarget, *, wanted: bool) -> bool:
    """Say whether a target is a CronJob whose next run is waited for."""
    return wanted and target.kind == CRON_JOB.name
