"""Tokens, rules, denials."""

from __future__ import annotations

import pytest

from homelab.lab.kubernetes.refusals import Refusal
from homelab.lab.kubernetes.requests import read_path
from homelab.lab.kubernetes.rules import Access, User

GET_WEB = {"apiGroups": ["apps"], "resources": ["deployments"], "verbs": ["get"], "resourceNames": ["web"]}


@pytest.fixture
def access() -> Access:
    return Access({"secret": User("admin"), "small": User("somebody", (GET_WEB,))})


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
    assert access.allows(access.users["small"], *wanted) is allowed


def test_a_denial_beats_every_rule(access):
    access.denials.append({"verbs": ["list"], "resources": ["pods"]})
    assert access.allows(access.users["secret"], "list", "", "pods", "") is False
    assert access.allows(access.users["secret"], "get", "", "pods", "") is True


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
