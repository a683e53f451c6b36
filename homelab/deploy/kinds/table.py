"""The kinds ``deploy`` knows: where their objects live, and who judges them.

Layer: the deploy domain, above the kinds.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from homelab.deploy import shape
from homelab.deploy.judgement import Expectation, Memory
from homelab.deploy.kinds import daemonset, deployment, job, rollout, statefulset
from homelab.deploy.kinds.finding import Finding
from homelab.deploy.model import Pod, Revision, Snapshot, Workload
from homelab.kube.port import Json


def _never(_workload: Workload) -> bool:
    return False


def _nowhere(_workload: Workload) -> str:
    return ""


def _unchanged(workload: Workload, _item: Json) -> Workload:
    return workload


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of workload."""

    #: As it is typed and printed: ``deployment``.
    name: str
    #: API prefix and plural: ``/apis/apps/v1``, ``deployments``.
    api: str
    plural: str
    #: What owns its pods, as (API prefix, plural, shape), or None where the workload does itself.
    revisions: tuple[str, str, Callable[[Json, float], Revision]] | None
    #: Other spellings people type.
    aliases: tuple[str, ...]
    read: Callable[[Json, float], Workload]
    judge: Callable[[Snapshot, Expectation, Memory, float], Finding]
    #: The revision made from the live template, and the pods (of it, of others).
    current: Callable[[Snapshot], Revision | None]
    split: Callable[[Snapshot], tuple[list[Pod], list[Pod]]]
    #: Facts that count only after they stood for a while.
    standing: Callable[[Snapshot], set[str]]
    #: Whether the controller's own numbers say that it has finished: time to look at the pods.
    counted: Callable[[Workload], bool]
    #: Whether it may be gone because it was done.
    finished: Callable[[Workload], bool] = _never
    #: Classes of trouble that the kind deals with by itself.
    forgiven: frozenset[str] = frozenset()
    #: Where the template is when the workload only refers to it, and how it is taken over.
    reference: Callable[[Workload], str] = _nowhere
    refer: Callable[[Workload, Json], Workload] = _unchanged

    def path(self, namespace: str, name: str = "") -> str:
        """Return the API path of the namespace's objects, or of one of them."""
        return f"{self.api}/namespaces/{namespace}/{self.plural}" + (f"/{name}" if name else "")


REPLICA_SETS = ("/apis/apps/v1", "replicasets", shape.replica_set)
CONTROLLER_REVISIONS = ("/apis/apps/v1", "controllerrevisions", daemonset.revision)

DEPLOYMENT = Kind(
    name="deployment",
    api="/apis/apps/v1",
    plural="deployments",
    revisions=REPLICA_SETS,
    aliases=("deploy", "deployments", "deployment.apps", "deployments.apps"),
    read=deployment.read,
    judge=deployment.judge,
    current=deployment.current,
    split=deployment.split,
    standing=deployment.standing,
    counted=deployment.counted,
)

STATEFUL_SET = Kind(
    name="statefulset",
    api="/apis/apps/v1",
    plural="statefulsets",
    revisions=None,
    aliases=("sts", "statefulsets", "statefulset.apps", "statefulsets.apps"),
    read=statefulset.read,
    judge=statefulset.judge,
    current=statefulset.current,
    split=statefulset.split,
    standing=statefulset.standing,
    counted=statefulset.counted,
)

DAEMON_SET = Kind(
    name="daemonset",
    api="/apis/apps/v1",
    plural="daemonsets",
    revisions=CONTROLLER_REVISIONS,
    aliases=("ds", "daemonsets", "daemonset.apps", "daemonsets.apps"),
    read=daemonset.read,
    judge=daemonset.judge,
    current=daemonset.current,
    split=daemonset.split,
    standing=daemonset.standing,
    counted=daemonset.counted,
)

JOB = Kind(
    name="job",
    api="/apis/batch/v1",
    plural="jobs",
    revisions=None,
    aliases=("jobs", "job.batch", "jobs.batch"),
    read=job.read,
    judge=job.judge,
    current=job.current,
    split=job.split,
    standing=job.standing,
    counted=job.counted,
    finished=job.finished,
    forgiven=job.FORGIVEN,
)

CRON_JOB = Kind(
    name="cronjob",
    api="/apis/batch/v1",
    plural="cronjobs",
    revisions=None,
    aliases=("cj", "cronjobs", "cronjob.batch", "cronjobs.batch"),
    read=job.read_cron,
    judge=job.judge_cron,
    current=job.current,
    split=lambda _snapshot: ([], []),
    standing=job.standing,
    counted=_never,
)

ROLLOUT = Kind(
    name="rollout",
    api="/apis/argoproj.io/v1alpha1",
    plural="rollouts",
    revisions=REPLICA_SETS,
    aliases=("ro", "rollouts", "rollout.argoproj.io", "rollouts.argoproj.io"),
    read=rollout.read,
    judge=rollout.judge,
    current=rollout.current,
    split=rollout.split,
    standing=rollout.standing,
    counted=rollout.counted,
    reference=rollout.reference_path,
    refer=rollout.with_reference,
)

KINDS = {kind.name: kind for kind in (DEPLOYMENT, STATEFUL_SET, DAEMON_SET, JOB, CRON_JOB, ROLLOUT)}


def kind_named(text: str) -> Kind | None:
    """Return the kind a person means by ``text``, or None."""
    wanted = text.lower()
    return next((kind for kind in KINDS.values() if wanted == kind.name or wanted in kind.aliases), None)
