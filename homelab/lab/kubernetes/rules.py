"""Who may do what: tokens, the rules behind them, and the answers to questions about them. Layer: pure state.

Rules are written as in an RBAC Role (``rbac.authorization.k8s.io/v1 PolicyRule``); messages as the apiserver's
``pkg/endpoints/handlers/responsewriters/errors.go``.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from homelab.lab.kubernetes.objects import Object
from homelab.lab.kubernetes.refusals import Refusal, forbidden, unauthorized
from homelab.lab.kubernetes.requests import Asked

EVERYTHING: Object = {"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}


@dataclass(frozen=True, slots=True)
class User:
    """Somebody with a token; ``rules`` are PolicyRules."""

    name: str
    rules: tuple[Object, ...] = (EVERYTHING,)


@dataclass(slots=True)
class Access:
    """The known tokens, and rules that deny on top of what they allow."""

    users: dict[str, User] = field(default_factory=dict)
    denials: list[Object] = field(default_factory=list)

    def user(self, authorization: str) -> User:
        """Return whose token an ``Authorization`` header carries; refuses with 401."""
        scheme, _, token = authorization.partition(" ")
        found = self.users.get(token.strip()) if scheme.lower() == "bearer" else None
        if found is None:
            raise unauthorized()
        return found

    def allows(self, user: User, verb: str, group: str, resource: str, name: str) -> bool:
        """Say whether ``user`` may do ``verb`` on ``resource`` (``pods/log``) of ``group``."""
        wanted = (verb, group, resource, name)
        if any(_covers(rule, *wanted) for rule in self.denials):
            return False
        return any(_covers(rule, *wanted) for rule in user.rules)

    def check(self, user: User, asked: Asked, name: str) -> None:
        """Refuse with 403 what ``user`` may not do; ``name`` may come from a field selector."""
        if not self.allows(user, asked.verb, asked.kind.group, asked.resource, name):
            raise _denied(user, asked)

    def review(self, user: User, body: Object) -> Object:
        """Answer a SelfSubjectAccessReview."""
        attributes = (body.get("spec") or {}).get("resourceAttributes") or {}
        resource = str(attributes.get("resource") or "")
        if part := attributes.get("subresource"):
            resource = f"{resource}/{part}"
        verb, group = str(attributes.get("verb") or ""), str(attributes.get("group") or "")
        allowed = self.allows(user, verb, group, resource, str(attributes.get("name") or ""))
        answer = {"allowed": allowed, **({"reason": "allowed by the lab's rules"} if allowed else {})}
        return {
            "kind": "SelfSubjectAccessReview",
            "apiVersion": "authorization.k8s.io/v1",
            "metadata": {},
            "spec": body.get("spec") or {},
            "status": answer,
        }


def _covers(rule: Object, verb: str, group: str, resource: str, name: str) -> bool:
    def listed(key: str, value: str) -> bool:
        values = rule.get(key) or ["*"]
        return "*" in values or value in values

    names = rule.get("resourceNames") or []
    return (
        listed("verbs", verb)
        and listed("apiGroups", group)
        and listed("resources", resource)
        and (not names or name in names)
    )


def _denied(user: User, asked: Asked) -> Refusal:
    where = f' in the namespace "{asked.namespace}"' if asked.namespace else " at the cluster scope"
    why = f'User "{user.name}" cannot {asked.verb} resource "{asked.resource}" in API group "{asked.kind.group}"{where}'
    return forbidden(asked.kind, asked.name, why)
