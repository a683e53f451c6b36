"""``deploy rbac``: the Role that ``deploy wait`` wants for its targets, and what each rule buys. Pure.

Layer: the deploy domain's use case.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from homelab.deploy.gitops import ownership
from homelab.deploy.kinds.table import CONTROLLER_REVISIONS, KINDS
from homelab.deploy.snapshot import FEW
from homelab.kube.port import Json
from homelab.outcome import Outcome
from homelab.result import Result
from homelab.settings.model import DeployTarget

NAME = "homelab-deploy-wait"


@dataclass(frozen=True, slots=True)
class RbacResult(Result):
    """The objects to apply, as a YAML stream."""

    objects: tuple[Json, ...] = ()

    def lines(self) -> list[str]:
        """Return the objects as YAML."""
        return [line for item in self.objects for line in ("---", *_yaml(item))]

    def record(self) -> dict[str, Any]:
        """Return the objects."""
        return {"objects": list(self.objects)}


@dataclass(frozen=True, slots=True)
class Rights:
    """What the Role is for, beyond waiting; ``least``: only what the command cannot do without."""

    least: bool = False
    #: ``--refresh``: ask Argo CD or Flux to look.
    refresh: bool = False
    #: ``--ignore-unready-nodes``: list nodes.
    nodes: bool = False
    #: ``deploy restart`` and ``deploy rollback``.
    change: bool = False


def rbac(targets: Sequence[DeployTarget], rights: Rights = Rights(), *, account: str | None = None) -> RbacResult:
    """Return a Role for each namespace, and a ClusterRole where nodes are listed.

    ``account`` (``NAMESPACE/NAME`` of a ServiceAccount) adds the bindings.
    """
    objects: list[Json] = []
    for namespace in sorted({target.namespace for target in targets}):
        ours = [target for target in targets if target.namespace == namespace]
        objects.append(_role(namespace, _rules(ours, rights)))
        if account:
            objects.append(_binding(namespace, account))
    if rights.nodes:
        objects.append(_role("", [_rule("", ["nodes"], ["list"])]))
        if account:
            objects.append(_binding("", account))
    said = "least" if rights.least else "full proof"
    count = f"{len(targets)} target{'s' if len(targets) != 1 else ''}"
    return RbacResult(Outcome.DONE, f"{count}, {said}: kubectl apply -f - takes it", tuple(objects))


def _role(namespace: str, rules: list[Json]) -> Json:
    """Return a Role; without a namespace a ClusterRole."""
    return {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "Role" if namespace else "ClusterRole",
        "metadata": {"name": NAME, "namespace": namespace} if namespace else {"name": NAME},
        "rules": rules,
    }


def _binding(namespace: str, account: str) -> Json:
    space, _, name = account.rpartition("/")
    role = _role(namespace, [])
    return {
        "apiVersion": role["apiVersion"],
        "kind": f"{role['kind']}Binding",
        "metadata": role["metadata"],
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": role["kind"], "name": NAME},
        "subjects": [{"kind": "ServiceAccount", "name": name, "namespace": space or namespace or "default"}],
    }


def _group(api: str) -> str:
    return api.removeprefix("/apis/").partition("/")[0] if api.startswith("/apis/") else ""


def _rules(targets: Sequence[DeployTarget], rights: Rights) -> list[Json]:
    """Return the rules: the objects by name, then what proves and explains."""
    rules = [rule for kind in sorted({target.kind for target in targets}) for rule in _of_kind(kind, targets, rights)]
    kinds = {target.kind for target in targets}
    if not rights.least:
        rules += _proving(kinds & set(KINDS))
        # Its project says which sync windows hold it.
        rules += [_rule("argoproj.io", ["appprojects"], ["get"])] if "application" in kinds else []
    if rights.refresh and kinds & set(ownership.APIS):
        # The sources of a Flux object have names of their own.
        rules += [_rule("source.toolkit.fluxcd.io", ["*"], ["patch"])] if kinds - {"application"} else []
    return rules


def _of_kind(kind: str, targets: Sequence[DeployTarget], rights: Rights) -> list[Json]:
    """Return the rules for the objects of one kind."""
    api, plural = (KINDS[kind].api, KINDS[kind].plural) if kind in KINDS else ownership.APIS[kind]
    names = sorted(target.name for target in targets if target.kind == kind)
    changing = rights.change if kind in KINDS else rights.refresh
    patch = ["patch"] if changing else []
    if rights.least or kind in ownership.APIS:
        return [_rule(_group(api), [plural], ["get", *patch], names)]
    if len(targets) <= FEW:
        # Listing and watching by name is allowed where the request selects metadata.name, as ours does.
        return [_rule(_group(api), [plural], ["get", "list", "watch", *patch], names)]
    # Many targets are read by whole lists, which no list of names allows.
    some = [_rule(_group(api), [plural], ["get", "list", "watch"])]
    return [*some, _rule(_group(api), [plural], patch, names)] if patch else some


def _proving(kinds: set[str]) -> list[Json]:
    """Return the rules that prove a rollout and explain a failure."""
    if not kinds:
        return []
    owners = {form[:2] for kind in kinds if (form := KINDS[kind].revisions)}
    # The history of a StatefulSet.
    owners |= {CONTROLLER_REVISIONS[:2]} if "statefulset" in kinds else set()
    rules = [_rule(_group(api), [plural], ["list"]) for api, plural in sorted(owners)]
    if "cronjob" in kinds:
        # ``--run`` follows a Job whose name nobody knows before.
        rules.append(_rule("batch", ["jobs"], ["get", "list", "watch"]))
    if "rollout" in kinds:
        # Its template may be a Deployment's.
        rules.append(_rule("apps", ["deployments"], ["get"]))
    return [
        *rules,
        _rule("", ["pods", "events"], ["list"]),
        _rule("", ["pods/log", "persistentvolumeclaims"], ["get"]),
    ]


def _rule(group: str, resources: list[str], verbs: list[str], names: list[str] | None = None) -> Json:
    rule: Json = {"apiGroups": [group], "resources": resources, "verbs": verbs}
    return {**rule, "resourceNames": names} if names else rule


def _yaml(value: Json, indent: str = "") -> list[str]:
    """Write the few shapes a Role has: mappings, lists of mappings, lists of plain words."""
    lines = []
    for key, item in value.items():
        if isinstance(item, dict):
            lines += [f"{indent}{key}:", *_yaml(item, indent + "  ")]
        elif isinstance(item, list) and item and isinstance(item[0], dict):
            lines.append(f"{indent}{key}:")
            for one in item:
                first, *rest = _yaml(one, indent + "    ")
                lines += [f"{indent}  - {first.strip()}", *rest]
        elif isinstance(item, list):
            words = ", ".join(f'"{word}"' for word in item)
            lines.append(f"{indent}{key}: [{words}]")
        else:
            lines.append(f"{indent}{key}: {item}")
    return lines
