"""What the API server fills in where a manifest is silent. Layer: pure; changes the object handed in.

Values from ``pkg/apis/{core,apps,batch}/v1/defaults.go``.
"""

from __future__ import annotations

from collections.abc import Callable

from homelab.lab.kubernetes.objects import Object
from homelab.lab.registry.reference import parse


def apply_defaults(item: Object) -> None:
    """Fill in the defaults of the object's kind."""
    fill = _BY_KIND.get((item.get("apiVersion"), item.get("kind")))
    if fill and isinstance(item.get("spec"), dict):
        fill(item)


def pod_spec(spec: Object) -> None:
    """Fill in a pod spec."""
    spec.setdefault("restartPolicy", "Always")
    spec.setdefault("terminationGracePeriodSeconds", 30)
    spec.setdefault("dnsPolicy", "ClusterFirst")
    spec.setdefault("securityContext", {})
    spec.setdefault("schedulerName", "default-scheduler")
    for container in [*(spec.get("containers") or []), *(spec.get("initContainers") or [])]:
        _container(container)


def _container(container: Object) -> None:
    container.setdefault("resources", {})
    container.setdefault("terminationMessagePath", "/dev/termination-log")
    container.setdefault("terminationMessagePolicy", "File")
    container.setdefault("imagePullPolicy", _pull_policy(str(container.get("image") or "")))
    for port in container.get("ports") or []:
        port.setdefault("protocol", "TCP")
    for name in ("readinessProbe", "livenessProbe", "startupProbe"):
        if probe := container.get(name):
            for key, value in _PROBE.items():
                probe.setdefault(key, value)
            if "httpGet" in probe:
                probe["httpGet"].setdefault("path", "/")
                probe["httpGet"].setdefault("scheme", "HTTP")


_PROBE = {"timeoutSeconds": 1, "periodSeconds": 10, "successThreshold": 1, "failureThreshold": 3}


def _pull_policy(image: str) -> str:
    reference = parse(image)
    return "Always" if reference and not reference.digest and reference.tag == "latest" else "IfNotPresent"


def _template(item: Object) -> None:
    template = item["spec"].setdefault("template", {})
    template.setdefault("metadata", {}).setdefault("creationTimestamp", None)
    if isinstance(template.get("spec"), dict):
        pod_spec(template["spec"])


def _deployment(item: Object) -> None:
    spec = item["spec"]
    spec.setdefault("replicas", 1)
    spec.setdefault("revisionHistoryLimit", 10)
    spec.setdefault("progressDeadlineSeconds", 600)
    strategy = spec.setdefault("strategy", {})
    if strategy.setdefault("type", "RollingUpdate") == "RollingUpdate":
        rolling = strategy.setdefault("rollingUpdate", {})
        rolling.setdefault("maxSurge", "25%")
        rolling.setdefault("maxUnavailable", "25%")
    _template(item)


def _replica_set(item: Object) -> None:
    item["spec"].setdefault("replicas", 1)
    _template(item)


def _stateful_set(item: Object) -> None:
    spec = item["spec"]
    spec.setdefault("replicas", 1)
    spec.setdefault("revisionHistoryLimit", 10)
    spec.setdefault("podManagementPolicy", "OrderedReady")
    spec.setdefault("serviceName", "")
    spec.setdefault("persistentVolumeClaimRetentionPolicy", {"whenDeleted": "Retain", "whenScaled": "Retain"})
    strategy = spec.setdefault("updateStrategy", {})
    if strategy.setdefault("type", "RollingUpdate") == "RollingUpdate":
        strategy.setdefault("rollingUpdate", {}).setdefault("partition", 0)
    _template(item)


def _daemon_set(item: Object) -> None:
    spec = item["spec"]
    spec.setdefault("revisionHistoryLimit", 10)
    strategy = spec.setdefault("updateStrategy", {})
    if strategy.setdefault("type", "RollingUpdate") == "RollingUpdate":
        rolling = strategy.setdefault("rollingUpdate", {})
        rolling.setdefault("maxSurge", 0)
        rolling.setdefault("maxUnavailable", 1)
    _template(item)


def _job(item: Object) -> None:
    spec = item["spec"]
    spec.setdefault("completions", 1)
    spec.setdefault("parallelism", 1)
    spec.setdefault("backoffLimit", 6)
    spec.setdefault("completionMode", "NonIndexed")
    spec.setdefault("suspend", False)
    _template(item)


def _pod(item: Object) -> None:
    pod_spec(item["spec"])
    item["spec"].setdefault("enableServiceLinks", True)
    item["spec"].setdefault("serviceAccountName", "default")
    item["spec"].setdefault("tolerations", _tolerations())


def _tolerations() -> list[Object]:
    keys = ("node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable")
    return [{"key": key, "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300} for key in keys]


def _service(item: Object) -> None:
    spec = item["spec"]
    spec.setdefault("type", "ClusterIP")
    spec.setdefault("sessionAffinity", "None")
    spec.setdefault("internalTrafficPolicy", "Cluster")
    for port in spec.get("ports") or []:
        port.setdefault("protocol", "TCP")
        port.setdefault("targetPort", port.get("port"))


_BY_KIND: dict[tuple[object, object], Callable[[Object], None]] = {
    ("apps/v1", "Deployment"): _deployment,
    ("apps/v1", "ReplicaSet"): _replica_set,
    ("apps/v1", "StatefulSet"): _stateful_set,
    ("apps/v1", "DaemonSet"): _daemon_set,
    ("batch/v1", "Job"): _job,
    ("v1", "Pod"): _pod,
    ("v1", "Service"): _service,
}
