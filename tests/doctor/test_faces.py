"""The Actions face; Woodpecker's is proven through the whole check in test_ci.py."""

from __future__ import annotations

from typing import Any

import pytest

from homelab.doctor.faces import ActionsFace, Standing, WoodpeckerFace, face_of
from homelab.errors import HttpStatus, NothingThere, PermissionMissing, TokenRejected, WrongService
from homelab.secret import Secret
from homelab.settings.model import CiServer
from tests.doctor.fakes import CannedHttp, status

SERVER = CiServer(name="forge", kind="forgejo", url="https://git.example.org")
FACE = ActionsFace(SERVER)
REPO = {"full_name": "team/app", "has_actions": True, "permissions": {"pull": True, "push": True}}


def _http(answers: dict[str, Any], token: Secret | None = None) -> CannedHttp:
    return CannedHttp(FACE.site(), token, answers)


@pytest.mark.parametrize(
    ("kind", "face"),
    [("woodpecker", WoodpeckerFace), ("forgejo", ActionsFace), ("gitea", ActionsFace), ("actions", ActionsFace)],
)
def test_each_kind_has_its_face(kind: str, face: type) -> None:
    assert isinstance(face_of(CiServer(name="x", kind=kind, url="https://x.example")), face)


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
    ("changed", "standing"),
    [
        (
            {},
            Standing("team/app", active=True, may_push=True, activate_url="https://git.example.org/team/app/settings"),
        ),
        (
            {"has_actions": False, "permissions": {"push": False}},
            Standing(
                "team/app", active=False, may_push=False, activate_url="https://git.example.org/team/app/settings"
            ),
        ),
        (
            {"archived": True},
            Standing("team/app", active=False, may_push=True, activate_url="https://git.example.org/team/app/settings"),
        ),
    ],
    ids=["well", "no actions", "archived"],
)
def test_a_repository_is_read_with_its_rights(changed: dict[str, Any], standing: Standing) -> None:
    assert FACE.standing(_http({"/api/v1/repos/team/app": {**REPO, **changed}}), "team/app") == standing


@pytest.mark.parametrize(("code", "error"), [(404, NothingThere), (403, PermissionMissing), (409, HttpStatus)])
def test_why_a_repository_is_not_seen_is_told_apart(code: int, error: type[Exception]) -> None:
    with pytest.raises(error):
        FACE.standing(_http({"/api/v1/repos/team/app": status(code)}), "team/app")
