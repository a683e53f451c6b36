"""Tokens, rules, denials."""

from __future__ import annotations

import pytest

from homelab.lab.kubernetes.kinds import CLUSTER_ROLE, CLUSTER_ROLE_BINDING, ROLE, ROLE_BINDING
from homelab.lab.kubernetes.refusals import Refusal
from homelab.lab.kubernetes.requests import read_path
from homelab.lab.kubernetes.rules import EVERYTHING, Access, Act, User, rules_review, self_review
from homelab.lab.kubernetes.store import Store

GET_WEB = {"apiGroups": ["apps"], "resources": ["deployments"], "verbs": ["get"], "resourceNames": ["web"]}


@pytest.fixture
def access() -> Access:
    users = {"secret": User("admin", (EVERYTHING,)), "small": User("somebody", (GET_WEB,)), "bound": User("bound")}
    users["account"] = User("system:serviceaccount:ci:deployer")
    return Access(users, Store(lambda: 0.0))


def test_a_known_token_is_its_user(access):
    assert access.user("Bearer small").name == "somebody"


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer wrong", "Basic secret"])
def test_anything_else_is_unauthorized(access, header):
    with pytest.raises(Refusal) as refusal:
        access.user(header)
    assert refusal.value.code == 401


@pytest.mark.parametrize(
    ("wanted", "allowed"),
    [
        (("get", "apps", "deployments", "web"), True),
        (("get", "apps", "deployments", "api"), False),
        (("list", "apps", "deployments", "web"), False),
        (("get", "", "pods", "web"), False),
        (("get", "apps", "deployments/scale", "web"), False),
    ],
)
def test_rules_allow_what_they_name(access, wanted, allowed):
    assert access.allows(access.users["small"], Act(*wanted)) is allowed


def test_a_denial_beats_every_rule(access):
    access.denials.append({"verbs": ["list"], "resources": ["pods"]})
    assert access.allows(access.users["secret"], Act("list", "", "pods")) is False
    assert access.allows(access.users["secret"], Act("get", "", "pods")) is True


def test_a_refusal_names_verb_resource_group_and_namespace(access):
    asked = read_path("GET", "/api/v1/namespaces/demo/pods/web/log", watch=False)
    with pytest.raises(Refusal) as refusal:
        access.check(access.users["small"], asked, "web")
    assert refusal.value.code == 403
    assert refusal.value.message == (
        'pods "web" is forbidden: User "somebody" cannot get resource "pods/log" in API group "" '
        'in the namespace "demo"'
    )


@pytest.mark.parametrize(("name", "allowed"), [("web", True), ("api", False)])
def test_a_review_answers_by_the_same_rules(access, name, allowed):
    attributes = {"verb": "get", "group": "apps", "resource": "deployments", "name": name, "namespace": "demo"}
    answer = access.review(access.users["small"], {"spec": {"resourceAttributes": attributes}})
    assert answer["status"]["allowed"] is allowed


def bind(access: Access, subject: dict, *, kind: str = "Role") -> None:
    rule = {"apiGroups": [""], "resources": ["pods"], "verbs": ["list"]}
    in_demo = {"name": "reader", "namespace": "demo"}
    role = {"metadata": in_demo if kind == "Role" else {"name": "reader"}, "rules": [rule]}
    access.store.create(ROLE if kind == "Role" else CLUSTER_ROLE, role)
    binding = {"metadata": in_demo, "roleRef": {"kind": kind, "name": "reader"}, "subjects": [subject]}
    access.store.create(ROLE_BINDING, binding)


@pytest.mark.parametrize("kind", ["Role", "ClusterRole"])
def test_a_bound_role_allows_in_its_namespace(access, kind):
    bind(access, {"kind": "User", "name": "bound"}, kind=kind)
    assert access.allows(access.users["bound"], Act("list", "", "pods", namespace="demo"))
    assert not access.allows(access.users["bound"], Act("list", "", "pods", namespace="other"))
    assert not access.allows(access.users["bound"], Act("get", "", "pods", namespace="demo"))
    assert not access.allows(access.users["account"], Act("list", "", "pods", namespace="demo"))


def test_a_role_can_be_bound_to_a_service_account(access):
    bind(access, {"kind": "ServiceAccount", "name": "deployer", "namespace": "ci"})
    assert access.allows(access.users["account"], Act("list", "", "pods", namespace="demo"))


def test_a_cluster_role_binding_holds_everywhere(access):
    rule = {"apiGroups": ["*"], "resources": ["*"], "verbs": ["get"]}
    access.store.create(CLUSTER_ROLE, {"metadata": {"name": "reader"}, "rules": [rule]})
    subjects = [{"kind": "User", "name": "bound"}]
    body = {"metadata": {"name": "all"}, "roleRef": {"kind": "ClusterRole", "name": "reader"}, "subjects": subjects}
    access.store.create(CLUSTER_ROLE_BINDING, body)
    assert access.allows(access.users["bound"], Act("get", "", "nodes"))
    assert access.allows(access.users["bound"], Act("get", "apps", "deployments", "web", "other"))


def test_a_service_accounts_token_lets_it_in_with_the_rights_of_its_bindings(access):
    token = access.token_of("shop", "runner")
    user = access.user(f"Bearer {token}")
    assert user.name == "system:serviceaccount:shop:runner"
    groups = self_review(user)["status"]["userInfo"]["groups"]
    assert groups == ["system:serviceaccounts", "system:authenticated"]
    assert rules_review(access.rules_of(user, "shop"))["status"]["resourceRules"] == []
