"""``deploy rbac``: the Role that ``deploy wait`` wants for its targets, and what each rule buys. Pure.

Layer: the deploy domain's use case.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from homelab.deploy import gitops
from homelab.deploy.kinds.table import KINDS
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


def rbac(targets: Sequence[DeployTarget], *, least: bool = False, account: str | None = None) -> RbacResult:
    """Return a Role for each namespace; ``least``: only what the command cannot do without.

    ``account`` (``NAMESPACE/NAME`` of a ServiceAccount) adds the bindings.
    """
    objects: list[Json] = []
    for namespace in sorted({target.namespace for target in targets}):
        ours = [target for target in targets if target.namespace == namespace]
        objects.append(_role(namespace, _rules(ours, least=least)))
        if account:
            objects.append(_binding(namespace, account))
    said = "least" if least else "full proof"
    return RbacResult(Outcome.DONE, f"{len(targets)} targets, {said}: kubectl apply -f - takes it", tuple(objects))


def _role(namespace: str, rules: list[Json]) -> Json:
    return {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "Role",
        "metadata": {"name": NAME, "namespace": namespace},
        "rules": rules,
    }


def _binding(namespace: str, account: str) -> Json:
    space, _, name = account.rpartition("/")
    return {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "RoleBinding",
        "metadata": {"name": NAME, "namespace": namespace},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": NAME},
        "subjects": [{"kind": "ServiceAccount", "name": name, "namespace": space or namespace}],
    }


def _group(api: str) -> str:
    return api.removeprefix("/apis/").partition("/")[0] if api.startswith("/apis/") else ""


def _rules(targets: Sequence[DeployTarget], *, least: bool) -> list[Json]:
    """Return the rules: the workloads by name, then what proves and explains."""
    rules = []
    for kind in sorted({target.kind for target in targets}):
        api, plural = (KINDS[kind].api, KINDS[kind].plural) if kind in KINDS else gitops.APIS[kind]
        names = sorted(target.name for target in targets if target.kind == kind)
        # Listing and watching by name is allowed where the request selects metadata.name, as ours does.
        verbs = ["get"] if least else ["get", "list", "watch"]
        rules.append(_rule(_group(api), [plural], verbs, names))
    if least:
        return rules
    kinds = {target.kind for target in targets}
    owners = {form[:2] for kind in kinds & set(KINDS) if (form := KINDS[kind].revisions)}
    rules += [_rule(_group(api), [plural], ["list"]) for api, plural in sorted(owners)]
    if "cronjob" in kinds:
        # ``--run`` follows a Job whose name nobody knows before.
        rules.append(_rule("batch", ["jobs"], ["get", "list", "watch"]))
    return [
        *rules,
        _rule("", ["pods"], ["list"]),
        _rule("", ["events"], ["list"]),
        _rule("", ["pods/log"], ["get"]),
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
