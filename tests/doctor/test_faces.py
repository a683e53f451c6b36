"""The Actions face; Woodpecker's is proven through the whole check in test_ci.py."""

from __future__ import annotations

from typing import Any

import pytest

from homelab.doctor.faces import ActionsFace, WoodpeckerFace, face_of
from homelab.errors import HttpStatus, TokenRejected, WrongService
from homelab.secret import Secret
from homelab.settings.model import CiServer
from tests.doctor.fakes import CannedHttp, status
from tests.fakes import FakeClock

SERVER = CiServer(name="forge", kind="forgejo", url="https://git.example.org")
FACE = ActionsFace(SERVER, FakeClock())
REPO = {"full_name": "team/app", "has_actions": True, "permissions": {"pull": True, "push": True}}


def _http(answers: dict[str, Any], token: Secret | None = None) -> CannedHttp:
    return CannedHttp(FACE.site(), token, answers)


@pytest.mark.parametrize(
    ("kind", "face"),
    [("woodpecker", WoodpeckerFace), ("forgejo", ActionsFace), ("gitea", ActionsFace), ("actions", ActionsFace)],
)
def test_each_kind_has_its_face(kind: str, face: type) -> None:
    assert isinstance(face_of(CiServer(name="x", kind=kind, url="https://x.example"), FakeClock()), face)


def test_a_forge_that_wants_a_login_for_its_version_is_still_the_forge() -> None:
    assert FACE.greeting(_http({"/api/v1/version": status(403)})) == ("", None)
    with pytest.raises(HttpStatus):
        FACE.greeting(_http({"/api/v1/version": status(404)}))


def test_the_forge_says_its_version_to_a_stranger() -> None:
    assert FACE.greeting(_http({"/api/v1/version": {"version": "12.0.4"}}))[0] == "12.0.4"


def test_json_without_a_version_is_something_else() -> None:
    with pytest.raises(WrongService):
        FACE.greeting(_http({"/api/v1/version": {}}))


def test_a_token_is_named_refused_or_valid_without_a_name() -> None:
    assert FACE.user(_http({"/api/v1/user": {"login": "alice"}})) == "alice"
    assert FACE.user(_http({"/api/v1/user": status(403)})).startswith("valid")
    with pytest.raises(TokenRejected):
        FACE.user(_http({"/api/v1/user": status(401)}))


@pytest.mark.parametrize(
    ("changed", "active", "may_write"),
    [({}, True, True), ({"has_actions": False, "permissions": {}}, False, False), ({"archived": True}, False, True)],
    ids=["well", "no actions", "archived"],
)
def test_a_repository_is_read_as_the_ci_verbs_read_it(changed: dict[str, Any], active: bool, may_write: bool) -> None:
    answers = {"/api/v1/version": {"version": "12.0.4+gitea-1.22.0"}, "/api/v1/repos/team/app": {**REPO, **changed}}
    facts = FACE.repository(_http(answers), "team/app").facts()
    assert (facts.slug, facts.active, facts.may_write) == ("team/app", active, may_write)
