"""Who may do what: tokens, the rules behind them, and the answers to questions about them. Layer: above the store.

Rules are written as in an RBAC Role (``rbac.authorization.k8s.io/v1 PolicyRule``); messages as the apiserver's
``pkg/endpoints/handlers/responsewriters/errors.go``.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from homelab.lab.kubernetes.kinds import CLUSTER_ROLE, CLUSTER_ROLE_BINDING, ROLE, ROLE_BINDING
from homelab.lab.kubernetes.objects import Object
from homelab.lab.kubernetes.refusals import Refusal, forbidden, unauthorized
from homelab.lab.kubernetes.requests import Asked
from homelab.lab.kubernetes.store import Store

_RULE = ("verbs", "apiGroups", "resources", "resourceNames")
EVERYTHING: Object = {"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}


@dataclass(frozen=True, slots=True)
class User:
    """Somebody with a token; ``rules`` are PolicyRules beside those that role bindings give."""

    name: str
    rules: tuple[Object, ...] = ()


@dataclass(frozen=True, slots=True)
class Act:
    """What somebody wants to do, in the words of RBAC: ``resource`` may be ``pods/log``."""

    verb: str
    group: str
    resource: str
    name: str = ""
    namespace: str = ""


@dataclass(slots=True)
class Access:
    """The known tokens, the roles in ``store``, and rules that deny on top of what these allow."""

    users: dict[str, User]
    store: Store
    denials: list[Object] = field(default_factory=list)

    def user(self, authorization: str) -> User:
        """Return whose token an ``Authorization`` header carries; refuses with 401."""
        scheme, _, token = authorization.partition(" ")
        found = self.users.get(token.strip()) if scheme.lower() == "bearer" else None
        if found is None:
            raise unauthorized()
        return found

    def allows(self, user: User, act: Act) -> bool:
        """Say whether ``user`` may do ``act``."""
        if any(_covers(rule, act) for rule in self.denials):
            return False
        return any(_covers(rule, act) for rule in self.rules_of(user, act.namespace))

    def rules_of(self, user: User, namespace: str) -> Iterator[Object]:
        """Yield the rules that hold for ``user`` in ``namespace``."""
        yield from user.rules
        for binding in self.store.list(CLUSTER_ROLE_BINDING):
            if _names(binding, user):
                yield from self._role(binding, "")
        for binding in self.store.list(ROLE_BINDING, namespace) if namespace else ():
            if _names(binding, user):
                yield from self._role(binding, namespace)

    def _role(self, binding: Object, namespace: str) -> list[Object]:
        wanted = binding["roleRef"]
        kind, home = (ROLE, namespace) if wanted["kind"] == "Role" else (CLUSTER_ROLE, "")
        found = self.store.find(kind, home, wanted["name"])
        return (found.get("rules") or []) if found else []

    def check(self, user: User, asked: Asked, name: str) -> None:
        """Refuse with 403 what ``user`` may not do; ``name`` may come from a field selector."""
        if not self.allows(user, Act(asked.verb, asked.kind.group, asked.resource, name, asked.namespace)):
            raise _denied(user, asked)

    def token_of(self, namespace: str, name: str) -> str:
        """Return a fresh token of a service account, let in at once (``kubectl create token``)."""
        token = secrets.token_urlsafe(24)
        self.users[token] = User(f"system:serviceaccount:{namespace}:{name}")
        return token

    def review(self, user: User, body: Object) -> Object:
        """Answer a SelfSubjectAccessReview."""
        attributes = (body.get("spec") or {}).get("resourceAttributes") or {}
        resource = str(attributes.get("resource") or "")
        if part := attributes.get("subresource"):
            resource = f"{resource}/{part}"
        words = {key: str(attributes.get(key) or "") for key in ("verb", "group", "name", "namespace")}
        allowed = self.allows(user, Act(resource=resource, **words))
        answer = {"allowed": allowed, **({"reason": "allowed by the lab's rules"} if allowed else {})}
        return {
            "kind": "SelfSubjectAccessReview",
            "apiVersion": "authorization.k8s.io/v1",
            "metadata": {},
            "spec": body.get("spec") or {},
            "status": answer,
        }


def rules_review(rules: Iterable[Object]) -> Object:
    """Answer a SelfSubjectRulesReview (``kubectl auth can-i --list``) about these rules."""
    found = [{key: rule[key] for key in _RULE if rule.get(key)} for rule in rules]
    return {
        "kind": "SelfSubjectRulesReview",
        "apiVersion": "authorization.k8s.io/v1",
        "metadata": {},
        "spec": {},
        "status": {"resourceRules": found, "nonResourceRules": [], "incomplete": False},
    }


def self_review(user: User) -> Object:
    """Answer a SelfSubjectReview (``kubectl auth whoami``)."""
    groups = ["system:serviceaccounts"] if user.name.startswith("system:serviceaccount:") else []
    return {
        "kind": "SelfSubjectReview",
        "apiVersion": "authentication.k8s.io/v1",
        "metadata": {},
        "status": {"userInfo": {"username": user.name, "groups": [*groups, "system:authenticated"]}},
    }


def _covers(rule: Object, act: Act) -> bool:
    def listed(key: str, value: str) -> bool:
        values = rule.get(key) or ["*"]
        return "*" in values or value in values

    names = rule.get("resourceNames") or []
    pairs = (("verbs", act.verb), ("apiGroups", act.group), ("resources", act.resource))
    return all(listed(key, value) for key, value in pairs) and (not names or act.name in names)


def _names(binding: Object, user: User) -> bool:
    """Say whether a binding is for ``user``: by name, or as ``system:serviceaccount:NAMESPACE:NAME``."""
    for subject in binding.get("subjects") or []:
        if subject["kind"] == "ServiceAccount":
            home = subject.get("namespace") or binding["metadata"].get("namespace")
            if user.name == f"system:serviceaccount:{home}:{subject['name']}":
                return True
        elif subject["kind"] == "User" and subject["name"] == user.name:
            return True
    return False


def _denied(user: User, asked: Asked) -> Refusal:
    where = f' in the namespace "{asked.namespace}"' if asked.namespace else " at the cluster scope"
    why = f'User "{user.name}" cannot {asked.verb} resource "{asked.resource}" in API group "{asked.kind.group}"{where}'
    return forbidden(asked.kind, asked.name, why)
