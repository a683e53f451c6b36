"""Which kinds the lab serves, and how each is named in paths. Layer: vocabulary of the lab cluster."""

from __future__ import annotations

from dataclasses import dataclass

VERBS = ("create", "delete", "deletecollection", "get", "list", "patch", "update", "watch")


@dataclass(frozen=True, slots=True)
class Kind:
    """One served kind. ``group`` is empty for core; ``custom`` kinds know no strategic merge."""

    group: str
    version: str
    kind: str
    plural: str
    short: tuple[str, ...] = ()
    namespaced: bool = True
    categories: tuple[str, ...] = ()
    subresources: tuple[str, ...] = ()
    custom: bool = False

    @property
    def singular(self) -> str:
        """The lower-case name of one."""
        return self.kind.lower()

    @property
    def group_version(self) -> str:
        """``apps/v1``, or ``v1`` for core: what stands in apiVersion."""
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def qualified(self) -> str:
        """``deployments.apps``, or ``pods`` for core: how messages name the resource."""
        return f"{self.plural}.{self.group}" if self.group else self.plural

    @property
    def has_status(self) -> bool:
        """Whether status is written only through its own path."""
        return "status" in self.subresources


_SCALED = ("status", "scale")

NAMESPACE = Kind("", "v1", "Namespace", "namespaces", ("ns",), namespaced=False, subresources=("status",))
NODE = Kind("", "v1", "Node", "nodes", ("no",), namespaced=False, subresources=("status",))
POD = Kind("", "v1", "Pod", "pods", ("po",), categories=("all",), subresources=("status", "log"))
EVENT = Kind("", "v1", "Event", "events", ("ev",))
SERVICE = Kind("", "v1", "Service", "services", ("svc",), categories=("all",), subresources=("status",))
CONFIG_MAP = Kind("", "v1", "ConfigMap", "configmaps", ("cm",))
SECRET = Kind("", "v1", "Secret", "secrets")
SERVICE_ACCOUNT = Kind("", "v1", "ServiceAccount", "serviceaccounts", ("sa",), subresources=("token",))
QUOTA = Kind("", "v1", "ResourceQuota", "resourcequotas", ("quota",), subresources=("status",))
CLAIM = Kind("", "v1", "PersistentVolumeClaim", "persistentvolumeclaims", ("pvc",), subresources=("status",))
DEPLOYMENT = Kind("apps", "v1", "Deployment", "deployments", ("deploy",), categories=("all",), subresources=_SCALED)
REPLICA_SET = Kind("apps", "v1", "ReplicaSet", "replicasets", ("rs",), categories=("all",), subresources=_SCALED)
STATEFUL_SET = Kind("apps", "v1", "StatefulSet", "statefulsets", ("sts",), categories=("all",), subresources=_SCALED)
DAEMON_SET = Kind("apps", "v1", "DaemonSet", "daemonsets", ("ds",), categories=("all",), subresources=("status",))
REVISION = Kind("apps", "v1", "ControllerRevision", "controllerrevisions")
JOB = Kind("batch", "v1", "Job", "jobs", categories=("all",), subresources=("status",))
CRON_JOB = Kind("batch", "v1", "CronJob", "cronjobs", ("cj",), categories=("all",), subresources=("status",))
NEW_EVENT = Kind("events.k8s.io", "v1", "Event", "events", ("ev",))
AUTOSCALER = Kind(
    "autoscaling", "v2", "HorizontalPodAutoscaler", "horizontalpodautoscalers", ("hpa",), subresources=("status",)
)
ROLE = Kind("rbac.authorization.k8s.io", "v1", "Role", "roles")
ROLE_BINDING = Kind("rbac.authorization.k8s.io", "v1", "RoleBinding", "rolebindings")
CLUSTER_ROLE = Kind("rbac.authorization.k8s.io", "v1", "ClusterRole", "clusterroles", namespaced=False)
CLUSTER_ROLE_BINDING = Kind(
    "rbac.authorization.k8s.io", "v1", "ClusterRoleBinding", "clusterrolebindings", namespaced=False
)
LEASE = Kind("coordination.k8s.io", "v1", "Lease", "leases")

BUILT_IN = (
    NAMESPACE,
    NODE,
    POD,
    EVENT,
    SERVICE,
    CONFIG_MAP,
    SECRET,
    SERVICE_ACCOUNT,
    QUOTA,
    CLAIM,
    DEPLOYMENT,
    REPLICA_SET,
    STATEFUL_SET,
    DAEMON_SET,
    REVISION,
    JOB,
    CRON_JOB,
    NEW_EVENT,
    AUTOSCALER,
    LEASE,
    ROLE,
    ROLE_BINDING,
    CLUSTER_ROLE,
    CLUSTER_ROLE_BINDING,
)
"""Kinds with a meaning here, or that clients expect to be able to list."""

CUSTOM = (
    Kind("argoproj.io", "v1alpha1", "Rollout", "rollouts", ("ro",), subresources=_SCALED, custom=True),
    Kind("argoproj.io", "v1alpha1", "Application", "applications", ("app", "apps"), custom=True),
    Kind("argoproj.io", "v1alpha1", "AppProject", "appprojects", ("appproj",), custom=True),
    Kind(
        "kustomize.toolkit.fluxcd.io",
        "v1",
        "Kustomization",
        "kustomizations",
        ("ks",),
        subresources=("status",),
        custom=True,
    ),
    Kind("helm.toolkit.fluxcd.io", "v2", "HelmRelease", "helmreleases", ("hr",), subresources=("status",), custom=True),
    *(
        Kind("source.toolkit.fluxcd.io", "v1", kind, plural, (short,), subresources=("status",), custom=True)
        for kind, plural, short in (
            ("GitRepository", "gitrepositories", "gitrepo"),
            ("OCIRepository", "ocirepositories", "ocirepo"),
            ("HelmRepository", "helmrepositories", "helmrepo"),
            ("HelmChart", "helmcharts", "hc"),
        )
    ),
)
"""Kinds of other projects' operators: kept and served, moved by whoever writes their status."""

SERVED = BUILT_IN + CUSTOM


def find(group: str, version: str, plural: str) -> Kind | None:
    """Return the kind served at that path, or None."""
    wanted = (group, version, plural)
    return next((kind for kind in SERVED if (kind.group, kind.version, kind.plural) == wanted), None)


def of_object(api_version: str, name: str) -> Kind | None:
    """Return the kind of an object by its ``apiVersion`` and ``kind``."""
    return next((kind for kind in SERVED if (kind.group_version, kind.kind) == (api_version, name)), None)
