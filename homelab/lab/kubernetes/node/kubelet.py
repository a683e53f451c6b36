"""The kubelet of every node: runs the pods bound to one, and reports. Layer: a controller.

From ``pkg/kubelet``; nothing is executed, see :mod:`homelab.lab.kubernetes.node.life`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from homelab.lab.kubernetes.controllers.loop import Name
from homelab.lab.kubernetes.kinds import NODE, POD
from homelab.lab.kubernetes.node.container import Container, State
from homelab.lab.kubernetes.node.images import Image, Images
from homelab.lab.kubernetes.node.pod_status import phase_of, pod_status
from homelab.lab.kubernetes.node.references import environment_problem, mount_problem
from homelab.lab.kubernetes.node.speeds import Speeds
from homelab.lab.kubernetes.objects import Object, condition, copy, deleting, name_of, namespace_of, uid_of
from homelab.lab.kubernetes.recorder import Recorder
from homelab.lab.kubernetes.store import Change, Store
from homelab.lab.registry.reference import Reference

NAME = "kubelet"


@dataclass(slots=True)
class Sandbox:
    """What the node knows of one pod."""

    uid: str
    containers: list[Container]
    inits: list[Container]
    ip: str
    mounted: bool = False
    gone_at: float | None = None


class PodHost:
    """What the containers of one pod reach: the node's speeds, images, clock, and the pod's events."""

    def __init__(self, kubelet: Kubelet, pod: Object) -> None:
        """Serve the containers of ``pod``."""
        self.speeds = kubelet.speeds
        self.images = kubelet.images
        self._kubelet = kubelet
        self._pod = pod
        self._node = str(pod["spec"]["nodeName"])

    def now(self) -> float:
        """Return Unix time in seconds."""
        return self._kubelet.store.now()

    def present(self, reference: Reference) -> Image | None:
        """Return the image if the pod's node has it."""
        return self._kubelet.pulled.get((self._node, str(reference)))

    def keep(self, reference: Reference, image: Image) -> None:
        """Remember a pulled image on the pod's node."""
        self._kubelet.pulled[self._node, str(reference)] = image

    def environment_problem(self, container: Object) -> str:
        """Return why the container's environment cannot be made, empty when it can."""
        return environment_problem(self._kubelet.store, namespace_of(self._pod), container)

    def wake(self) -> None:
        """Look at the pod again."""
        self._kubelet.wake(namespace_of(self._pod), name_of(self._pod))

    def event(self, severity: str, reason: str, message: str, container: str) -> None:
        """Record an event about one of the pod's containers."""
        inits = [one["name"] for one in self._pod["spec"].get("initContainers") or []]
        path = f"spec.{'initContainers' if container in inits else 'containers'}{{{container}}}"
        record = self._kubelet.events.warning if severity == "Warning" else self._kubelet.events.normal
        record(self._pod, reason, message, field=path, host=self._node)


@dataclass(slots=True)
class Kubelet:
    """Runs pods. ``wake`` is set by whoever owns the work queue."""

    store: Store
    images: Images
    speeds: Speeds
    wake: Callable[[str, str], None] = lambda _namespace, _name: None
    name: str = NAME
    pulled: dict[tuple[str, str], Image] = field(default_factory=dict)
    events: Recorder = field(init=False)
    _sandboxes: dict[Name, Sandbox] = field(default_factory=dict)
    _addresses: int = 1

    def __post_init__(self) -> None:
        """Record events as the kubelet."""
        self.events = Recorder(self.store, "kubelet")

    def concerns(self, change: Change) -> Iterable[Name]:
        """Bound pods, and all pods of a node that changed."""
        if change.kind == POD and change.item["spec"].get("nodeName"):
            return [(namespace_of(change.item), name_of(change.item))]
        if change.kind == NODE:
            node = name_of(change.item)
            return [
                (namespace_of(pod), name_of(pod)) for pod in self.store.list(POD) if pod["spec"].get("nodeName") == node
            ]
        return []

    def reconcile(self, namespace: str, name: str) -> float | None:
        """Move the pod's containers on and report its status."""
        pod = self.store.find(POD, namespace, name)
        if pod is None or not pod["spec"].get("nodeName"):
            self._sandboxes.pop((namespace, name), None)
            return None
        if not self._node_ready(str(pod["spec"]["nodeName"])):
            return None
        sandbox = self._sandbox(pod)
        if deleting(pod):
            return self._stop(pod, sandbox)
        if pod["status"].get("phase") in ("Succeeded", "Failed"):
            return None
        again: float | None = self.speeds.sync
        if self._mounted(pod, sandbox):
            again = self._step(sandbox, str(pod["spec"].get("restartPolicy", "Always")))
        self._report(pod, sandbox)
        return again

    def containers(self, namespace: str, name: str) -> list[Container]:
        """Return the containers of a pod, init containers first; none when the pod never came to a node."""
        sandbox = self._sandboxes.get((namespace, name))
        return [*sandbox.inits, *sandbox.containers] if sandbox else []

    def _node_ready(self, node: str) -> bool:
        item = self.store.find(NODE, "", node)
        found = condition(item, "Ready") if item else None
        return found is not None and found["status"] == "True"

    def _sandbox(self, pod: Object) -> Sandbox:
        key = (namespace_of(pod), name_of(pod))
        known = self._sandboxes.get(key)
        if known and known.uid == uid_of(pod):
            return known
        host = PodHost(self, pod)
        label = f"{name_of(pod)}_{namespace_of(pod)}({uid_of(pod)})"
        policy = str(pod["spec"].get("restartPolicy", "Always"))
        once = "OnFailure" if policy == "Always" else policy
        self._addresses += 1
        made = Sandbox(
            uid_of(pod),
            [Container(spec, label, policy, host) for spec in pod["spec"]["containers"]],
            [Container(spec, label, once, host) for spec in pod["spec"].get("initContainers") or []],
            f"10.42.{self._addresses // 250}.{self._addresses % 250 + 1}",
        )
        self._resume(pod, made)
        self._sandboxes[key] = made
        return made

    @staticmethod
    def _resume(pod: Object, sandbox: Sandbox) -> None:
        """Take over a pod that ran before this process did."""
        for name, containers in (("containerStatuses", sandbox.containers), ("initContainerStatuses", sandbox.inits)):
            reported = {entry["name"]: entry for entry in pod["status"].get(name) or []}
            for container in containers:
                if container.name in reported:
                    container.resume(reported[container.name])
        sandbox.ip = str(pod["status"].get("podIP") or sandbox.ip)

    def _step(self, sandbox: Sandbox, policy: str) -> float | None:
        for container in sandbox.inits:
            if not container.succeeded:
                again = container.step()
                if not container.succeeded:
                    return again
        if phase_of(sandbox.containers, sandbox.inits, policy) == "Failed":
            return None
        waits = [wait for container in sandbox.containers if (wait := container.step()) is not None]
        return min(waits) if waits else None

    def _mounted(self, pod: Object, sandbox: Sandbox) -> bool:
        if sandbox.mounted:
            return True
        problem = mount_problem(self.store, pod)
        if problem:
            reason, message = problem
            self.events.warning(pod, reason, message, host=str(pod["spec"]["nodeName"]))
        sandbox.mounted = problem is None
        return sandbox.mounted

    def _report(self, pod: Object, sandbox: Sandbox) -> None:
        status = pod_status(pod, sandbox.containers, sandbox.inits, ("127.0.0.1", sandbox.ip), self.store.now())
        if status == pod["status"]:
            return
        changed = copy(pod)
        changed["status"] = status
        self.store.update(POD, changed)

    def _stop(self, pod: Object, sandbox: Sandbox) -> float | None:
        now = self.store.now()
        if sandbox.gone_at is None:
            grace = float(pod["metadata"].get("deletionGracePeriodSeconds") or 0)
            waits = [container.stop(grace) for container in [*sandbox.inits, *sandbox.containers]]
            sandbox.gone_at = now + max(waits, default=0.0)
        if now < sandbox.gone_at:
            return sandbox.gone_at - now
        for container in [*sandbox.inits, *sandbox.containers]:
            if container.state is State.RUNNING:
                container.end(0, "Completed")
        self.store.remove(POD, namespace_of(pod), name_of(pod))
        return None
