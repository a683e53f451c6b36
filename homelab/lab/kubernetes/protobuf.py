"""Request bodies in Kubernetes' protobuf encoding: kubectl's typed commands (``create``, ``auth can-i``) send it.

Only requests, only the kinds and fields below; answers are always JSON, which every client accepts. Field numbers from
``k8s.io/api/*/generated.proto``; the envelope from apimachinery ``pkg/runtime/generated.proto`` (``Unknown``).
Layer: pure.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any

from homelab.lab.kubernetes.objects import Object
from homelab.lab.kubernetes.refusals import bad_request

CONTENT_TYPE = "application/vnd.kubernetes.protobuf"
_MAGIC = b"k8s\x00"

_SOURCE = {
    "Unknown": "1 typeMeta TypeMeta, 2 raw raw",
    "TypeMeta": "1 apiVersion, 2 kind",
    "ObjectMeta": "1 name, 2 generateName, 3 namespace, 5 uid, 6 resourceVersion, 11 labels map, 12 annotations map",
    "LabelSelector": "1 matchLabels map, 2 matchExpressions Requirement*",
    "Requirement": "1 key, 2 operator, 3 values text*",
    "Deployment": "1 metadata ObjectMeta, 2 spec DeploymentSpec",
    "DeploymentSpec": "1 replicas int, 2 selector LabelSelector, 3 template PodTemplate, 4 strategy Strategy, "
    "5 minReadySeconds int, 7 paused bool",
    "Strategy": "1 type",
    "PodTemplate": "1 metadata ObjectMeta, 2 spec PodSpec",
    "Pod": "1 metadata ObjectMeta, 2 spec PodSpec",
    "PodSpec": "2 containers Container*, 3 restartPolicy, 4 terminationGracePeriodSeconds int, 7 nodeSelector map, "
    "8 serviceAccountName, 10 nodeName, 20 initContainers Container*",
    "Container": "1 name, 2 image, 3 command text*, 4 args text*, 6 ports ContainerPort*, 7 env EnvVar*, "
    "14 imagePullPolicy",
    "ContainerPort": "1 name, 3 containerPort int, 4 protocol",
    "EnvVar": "1 name, 2 value",
    "Job": "1 metadata ObjectMeta, 2 spec JobSpec",
    "JobSpec": "1 parallelism int, 2 completions int, 3 activeDeadlineSeconds int, 6 template PodTemplate, "
    "7 backoffLimit int, 8 ttlSecondsAfterFinished int, 10 suspend bool",
    "CronJob": "1 metadata ObjectMeta, 2 spec CronJobSpec",
    "CronJobSpec": "1 schedule, 3 concurrencyPolicy, 4 suspend bool, 5 jobTemplate JobTemplate",
    "JobTemplate": "1 metadata ObjectMeta, 2 spec JobSpec",
    "Namespace": "1 metadata ObjectMeta",
    "ServiceAccount": "1 metadata ObjectMeta",
    "ConfigMap": "1 metadata ObjectMeta, 2 data map, 4 immutable bool",
    "Secret": "1 metadata ObjectMeta, 2 data base64map, 3 type, 4 stringData map",
    "ResourceQuota": "1 metadata ObjectMeta, 2 spec QuotaSpec",
    "QuotaSpec": "1 hard quantities",
    "Quantity": "1 string",
    "Scale": "1 metadata ObjectMeta, 2 spec ScaleSpec",
    "ScaleSpec": "1 replicas int",
    "Role": "1 metadata ObjectMeta, 2 rules PolicyRule*",
    "ClusterRole": "1 metadata ObjectMeta, 2 rules PolicyRule*",
    "PolicyRule": "1 verbs text*, 2 apiGroups text*, 3 resources text*, 4 resourceNames text*",
    "RoleBinding": "1 metadata ObjectMeta, 2 subjects Subject*, 3 roleRef RoleRef",
    "ClusterRoleBinding": "1 metadata ObjectMeta, 2 subjects Subject*, 3 roleRef RoleRef",
    "Subject": "1 kind, 2 apiGroup, 3 name, 4 namespace",
    "RoleRef": "1 apiGroup, 2 kind, 3 name",
    "SelfSubjectAccessReview": "1 metadata ObjectMeta, 2 spec ReviewSpec",
    "SelfSubjectRulesReview": "1 metadata ObjectMeta, 2 spec RulesSpec",
    "RulesSpec": "1 namespace",
    "ReviewSpec": "1 resourceAttributes ResourceAttributes",
    "ResourceAttributes": "1 namespace, 2 verb, 3 group, 4 version, 5 resource, 6 subresource, 7 name",
    "DeleteOptions": "1 gracePeriodSeconds int, 2 preconditions Preconditions, 4 propagationPolicy, 5 dryRun text*",
    "Preconditions": "1 uid, 2 resourceVersion",
}


def _fields(source: str) -> dict[int, tuple[str, str, bool]]:
    """Return number → (name, type, repeated) of one message."""
    found = {}
    for line in source.split(", "):
        number, name, kind = (*line.split(), "text")[:3]
        found[int(number)] = (name, kind.rstrip("*"), kind.endswith("*"))
    return found


_MESSAGES = {name: _fields(source) for name, source in _SOURCE.items()}


def decode(body: bytes) -> Object:
    """Return the object in ``body``; refuses with 400 what is none, or of a kind not listed here."""
    if not body.startswith(_MAGIC):
        raise bad_request("the provided data does not appear to be in the Kubernetes protobuf encoding")
    try:
        envelope = _message("Unknown", body[len(_MAGIC) :])
        kind = envelope["typeMeta"]["kind"]
        if kind not in _MESSAGES:
            raise bad_request(f"the lab does not read {kind} in protobuf; send it as application/json")
        return {**envelope["typeMeta"], **_message(kind, envelope["raw"])}
    except (IndexError, KeyError, UnicodeDecodeError) as error:
        raise bad_request(f"the protobuf body is damaged: {error!r}") from error


def _message(kind: str, data: bytes) -> Object:
    known = _MESSAGES[kind]
    found: Object = {}
    for number, value in _split(data):
        name, type_of, repeated = known.get(number, ("", "", False))
        if not name:
            continue
        read = _value(type_of, value)
        if repeated:
            found.setdefault(name, []).append(read)
        elif type_of in ("map", "base64map", "quantities"):
            found.setdefault(name, {}).update(read)
        elif read != "" and read is not False:
            found[name] = read
    return found


def _value(type_of: str, value: Any) -> Any:
    match type_of:
        case "text":
            return value.decode()
        case "int":
            return value - (1 << 64) if value >> 63 else value
        case "bool":
            return bool(value)
        case "raw":
            return value
        case "map" | "base64map" | "quantities":
            pair = dict(_split(value))
            return {pair[1].decode(): _map_value(type_of, pair.get(2, b""))}
        case _:
            return _message(type_of, value)


def _map_value(type_of: str, value: bytes) -> str:
    if type_of == "base64map":
        return base64.b64encode(value).decode()
    return str(_message("Quantity", value)["string"]) if type_of == "quantities" else value.decode()


def _split(data: bytes) -> Iterator[tuple[int, Any]]:
    """Yield (field number, value) of one message: an int or bytes."""
    at = 0
    while at < len(data):
        tag, at = _varint(data, at)
        match tag & 7:
            case 0:
                value, at = _varint(data, at)
                yield tag >> 3, value
            case 2:
                length, at = _varint(data, at)
                yield tag >> 3, data[at : at + length]
                at += length
            case wire:
                raise IndexError(f"wire type {wire}")


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if not byte & 0x80:
            return value, at
