"""Node objects: made at the start, marked ready or not. Layer: above the store."""

from __future__ import annotations

from homelab.lab.kubernetes.api import Api
from homelab.lab.kubernetes.kinds import NODE, POD
from homelab.lab.kubernetes.objects import Object, copy, stamp
from homelab.lab.kubernetes.recorder import Recorder
from homelab.lab.kubernetes.version import GIT_VERSION

_NOT_READY = "node.kubernetes.io/not-ready"
_RESOURCES = {"cpu": "16", "memory": "64Gi", "pods": "2000", "ephemeral-storage": "500Gi"}


def add_node(api: Api, name: str) -> Object:
    """Register a ready node, unless it is there already."""
    known = api.store.find(NODE, "", name)
    if known:
        return known
    labels = {
        "kubernetes.io/hostname": name,
        "kubernetes.io/os": "linux",
        "kubernetes.io/arch": "amd64",
        "node-role.kubernetes.io/control-plane": "true",
    }
    body = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": name, "labels": labels}, "spec": {}}
    node = copy(api.create(NODE, "", body))
    node["status"] = {
        "capacity": dict(_RESOURCES),
        "allocatable": dict(_RESOURCES),
        "addresses": [{"type": "InternalIP", "address": "127.0.0.1"}, {"type": "Hostname", "address": name}],
        "conditions": [_ready(api.store.now(), ready=True)],
        "nodeInfo": {
            "kubeletVersion": GIT_VERSION,
            "kubeProxyVersion": GIT_VERSION,
            "osImage": "homelab lab",
            "kernelVersion": "0",
            "containerRuntimeVersion": "containerd://2.1.0",
            "operatingSystem": "linux",
            "architecture": "amd64",
            "machineID": name,
            "systemUUID": name,
            "bootID": name,
        },
    }
    return api.store.update(NODE, node)


def set_ready(api: Api, name: str, *, ready: bool) -> Object:
    """Mark a node Ready or NotReady; on NotReady its pods stop being ready, as the node controller does it."""
    node = copy(api.store.get(NODE, "", name))
    node["status"]["conditions"] = [_ready(api.store.now(), ready=ready)]
    others = [one for one in node["spec"].get("taints") or [] if one["key"] != _NOT_READY]
    taints = [{"key": _NOT_READY, "effect": effect} for effect in ("NoSchedule", "NoExecute")]
    node["spec"]["taints"] = others if ready else others + taints
    if not node["spec"]["taints"]:
        del node["spec"]["taints"]
    updated = api.store.update(NODE, node)
    Recorder(api.store, "node-controller").normal(
        updated,
        "NodeReady" if ready else "NodeNotReady",
        f"Node {name} status is now: {'NodeReady' if ready else 'NodeNotReady'}",
    )
    if not ready:
        for pod in api.store.list(POD):
            if pod["spec"].get("nodeName") == name:
                _unready(api, pod)
    return updated


def _unready(api: Api, pod: Object) -> None:
    changed = copy(pod)
    for found in changed["status"].get("conditions") or []:
        if found["type"] == "Ready" and found["status"] == "True":
            found["status"] = "False"
            found["lastTransitionTime"] = stamp(api.store.now())
    api.store.update(POD, changed)
    text = "Node is not ready"
    Recorder(api.store, "node-controller").warning(pod, "NodeNotReady", text)


def _ready(now: float, *, ready: bool) -> Object:
    return {
        "type": "Ready",
        "status": "True" if ready else "False",
        "lastHeartbeatTime": stamp(now),
        "lastTransitionTime": stamp(now),
        "reason": "KubeletReady" if ready else "KubeletNotReady",
        "message": "kubelet is posting ready status" if ready else "container runtime is down",
    }
