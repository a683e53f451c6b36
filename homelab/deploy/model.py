"""What ``deploy`` knows of a workload at one moment.

Frozen records only; times are Unix seconds by our clock. Layer: a leaf of the deploy domain.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition of a workload, a ReplicaSet or a pod. ``status`` is ``True``, ``False`` or ``Unknown``."""

    type: str
    status: str
    reason: str
    message: str
    since: float | None


@dataclass(frozen=True, slots=True)
class Container:
    """A container of a pod template."""

    name: str
    image: str
    init: bool = False
    #: What the template's labels, annotations and this container's environment say is its revision.
    marks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Counters:
    """What a controller counts; absent means 0."""

    updated: int = 0
    ready: int = 0
    available: int = 0
    total: int = 0

    def text(self, want: int) -> str:
        """Return ``updated/ready/available/want`` as a person reads it."""
        return f"updated {self.updated}, ready {self.ready}, available {self.available} of {want}"


@dataclass(frozen=True, slots=True)
class Workload:
    """A workload as its controller and its spec describe it."""

    kind: str
    namespace: str
    name: str
    uid: str
    generation: int
    #: ``status.observedGeneration``; 0: never observed.
    observed: int
    deleting: bool
    want: int
    paused: bool
    containers: tuple[Container, ...]
    counters: Counters
    conditions: tuple[Condition, ...]
    #: Revision number in an annotation (Deployment), or "".
    revision: str
    #: Label selector as a query parameter.
    selector: str
    #: ``progressDeadlineSeconds``; None: the kind has none, or it is switched off.
    deadline: float | None
    strategy: str
    #: Fingerprint of the pod template without the labels controllers add.
    template: str
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)
    #: Everybody who owns a field of it (``metadata.managedFields``): nobody copies these by hand.
    managers: frozenset[str] = frozenset()
    #: Who wrote the pod template last (``metadata.managedFields``), or "", and when.
    writer: str = ""
    written: float | None = None
    #: ``minReadySeconds``: how long a pod must be Ready to count as available.
    min_ready: float = 0.0
    #: What only this kind has, under the API's own names.
    facts: Mapping[str, object] = field(default_factory=dict)

    def condition(self, type_: str) -> Condition | None:
        """Return the condition of this type, or None."""
        return next((condition for condition in self.conditions if condition.type == type_), None)

    @property
    def slug(self) -> str:
        """``namespace/name``."""
        return f"{self.namespace}/{self.name}"


@dataclass(frozen=True, slots=True)
class Revision:
    """A ReplicaSet or ControllerRevision owned by the workload."""

    name: str
    uid: str
    number: int
    hash: str
    created: float | None
    generation: int = 0
    observed: int = 0
    want: int = 0
    available: int = 0
    containers: tuple[Container, ...] = ()
    conditions: tuple[Condition, ...] = ()
    template: str = ""
    cause: str = ""


@dataclass(frozen=True, slots=True)
class Ended:
    """How a container ended."""

    code: int
    signal: int
    reason: str
    message: str
    finished: float | None


@dataclass(frozen=True, slots=True)
class ContainerStatus:
    """A container of a live pod: the image its spec names, and what the kubelet reports."""

    name: str
    image: str
    init: bool = False
    #: An init container that keeps running (restartPolicy Always).
    sidecar: bool = False
    image_id: str = ""
    ready: bool = False
    running: bool = False
    restarts: int = 0
    waiting: str = ""
    message: str = ""
    ended: Ended | None = None
    last: Ended | None = None


@dataclass(frozen=True, slots=True)
class Pod:
    """A pod owned by one of the workload's revisions."""

    name: str
    uid: str
    #: uid of the controller that owns it.
    owner: str
    #: The revision's hash from its label.
    hash: str
    phase: str
    deleting: bool
    ready: bool
    ready_since: float | None
    created: float | None
    node: str
    scheduled: Condition | None
    nominated: bool
    restart_policy: str
    containers: tuple[ContainerStatus, ...]
    claims: tuple[str, ...] = ()
    #: Its volumes are mounted and its sandbox stands (``PodReadyToStartContainers``).
    prepared: bool = False

    @property
    def live(self) -> bool:
        """Say whether it counts: not being deleted, not ended."""
        return not self.deleting and self.phase not in ("Failed", "Succeeded")


@dataclass(frozen=True, slots=True)
class Happening:
    """A Kubernetes Event about one of our objects."""

    about: str
    where: str
    type: str
    reason: str
    message: str
    count: int
    first: float | None
    last: float | None


@dataclass(frozen=True, slots=True)
class Node:
    """A node: whether it may be expected to run anything new."""

    name: str
    ready: bool
    cordoned: bool


@dataclass(frozen=True, slots=True)
class GitOps:
    """What an Argo CD Application or a Flux object says about what it applies."""

    #: ``application``, ``kustomization`` or ``helmrelease``.
    kind: str
    namespace: str
    name: str
    #: Where it hangs or stands, as one clause.
    summary: str
    #: What it applied last, in its own words: commits of the GitOps repository, a digest, a chart's version.
    revision: str
    #: Finished: synced and healthy, or ready; about the spec it has now.
    settled: bool
    #: Why nothing will happen without a person, or "".
    stuck: str = ""
    #: Why it failed, or ""; and what it cannot do whatever is applied: read its sources, make its manifests.
    failed: str = ""
    error: str = ""
    hint: str = ""
    #: Workloads it applied, as (kind, namespace, name), and whether they live in this cluster.
    workloads: tuple[tuple[str, str, str], ...] = ()
    here: bool = True
    #: The commits of its repositories that it applied last, and that it tried last.
    commits: tuple[str, ...] = ()
    tried: tuple[str, ...] = ()
    #: The last try ended badly (and not only something that is said about now).
    broken: bool = False
    #: The versions a deployed HelmRelease names: its app's, its chart's.
    versions: tuple[str, ...] = ()
    #: The label selector of what it applied, and the namespace it applies to first; where it lists nothing.
    label: str = ""
    installs_in: str = ""
    #: API paths of the sources it reads, to be asked to look first; and of the object that applies this one.
    sources: tuple[str, ...] = ()
    parent: str = ""
    #: A template changed by hand is put back at once.
    reverts: bool = True

    @property
    def shown(self) -> str:
        """``Argo CD argocd/shop``."""
        tool = "Argo CD" if self.kind == "application" else "Flux"
        return f"{tool} {self.kind} {self.namespace}/{self.name}"


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Everything seen at one moment. None in place of a list: not allowed to look."""

    at: float
    workload: Workload | None
    revisions: tuple[Revision, ...] | None = None
    pods: tuple[Pod, ...] | None = None
    events: tuple[Happening, ...] | None = None
    #: Only where the expectation leaves nodes out.
    nodes: tuple[Node, ...] | None = None
    #: The GitOps object that owns the workload, or that is itself the target.
    gitops: GitOps | None = None
    #: Revisions and pods were read after the workload; only then may the snapshot prove completion.
    fresh: bool = True
    #: Proofs that RBAC denies, as sentences.
    skipped: tuple[str, ...] = ()
