"""Registry tokens."""

from __future__ import annotations

import base64

import pytest

from homelab.lab.registry.problems import Problem
from homelab.lab.registry.tokens import Tokens

REALM = "http://127.0.0.1:1/token"


def basic(text: str) -> str:
    return f"Basic {base64.b64encode(text.encode()).decode()}"


@pytest.fixture
def tokens() -> Tokens:
    return Tokens({"me": "secret"}, "registry.homelab.test")


def test_without_users_nobody_is_asked():
    Tokens({}, "x").check("", REALM, "demo/app", "push")


def test_a_challenge_names_realm_service_and_scope(tokens):
    with pytest.raises(Problem) as problem:
        tokens.check("", REALM, "demo/app", "push")
    assert problem.value.headers["WWW-Authenticate"] == (
        f'Bearer realm="{REALM}",service="registry.homelab.test",scope="repository:demo/app:pull,push"'
    )


def test_a_token_opens_what_it_was_issued_for(tokens):
    issued = tokens.issue(basic("me:secret"), "repository:demo/app:pull")
    header = f"Bearer {issued['token']}"
    tokens.check(header, REALM, "demo/app", "pull")
    for repository, action in (("demo/app", "push"), ("demo/other", "pull")):
        with pytest.raises(Problem):
            tokens.check(header, REALM, repository, action)


@pytest.mark.parametrize("header", ["", "Basic %%%", basic("me:wrong"), basic("you:secret"), "Bearer x"])
def test_no_token_without_the_right_password(tokens, header):
    with pytest.raises(Problem) as problem:
        tokens.issue(header, "repository:demo/app:pull")
    assert problem.value.status == 401
