from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from homelab.doctor.model import Finding
from homelab.doctor.vault import vault
from homelab.errors import HttpStatus, PersonNeeded, TokenRejected
from tests.doctor.fakes import app, status

OPEN = {"/v1/sys/health": {"initialized": True, "sealed": False, "standby": False}}
SELF, MOUNTS = "token /v1/auth/token/lookup-self", "token /v1/sys/internal/ui/mounts"


def _look(folder: Path, answers: dict[str, Any], **env: str) -> list[Finding]:
    made = app(folder, answers, VAULT_ADDR="https://vault.example.org", **env)
    findings = list(vault(made, made.settings.vault))
    assert "hunter2" not in str(findings)
    return findings


def test_without_an_address_it_is_skipped(tmp_path: Path) -> None:
    made = app(tmp_path)
    assert [each.grade.value for each in vault(made, made.settings.vault)] == ["skip"]


def test_a_valid_token_shows_its_policies_and_how_long_it_lasts(tmp_path: Path) -> None:
    said = {"data": {"policies": ["default", "ci"], "ttl": 3 * 86400}}
    findings = _look(tmp_path, {**OPEN, SELF: said}, VAULT_TOKEN="hunter2")
    assert [each.says for each in findings] == [
        "https://vault.example.org, unsealed",
        "VAULT_TOKEN, policies default, ci, 3 days left",
    ]


def test_a_token_that_ends_soon_is_a_warning_and_one_without_an_end_is_not(tmp_path: Path) -> None:
    for ttl, grade in ((600, "warn"), (0, "ok")):
        answers = {**OPEN, SELF: {"data": {"policies": ["root"], "ttl": ttl}}}
        assert _look(tmp_path, answers, VAULT_TOKEN="hunter2")[1].grade.value == grade


def test_a_token_that_may_not_look_itself_up_is_valid_still(tmp_path: Path) -> None:
    answers = {**OPEN, SELF: status(403), MOUNTS: {"data": {"secret": {}}}}
    assert _look(tmp_path, answers, VAULT_TOKEN="hunter2")[1].says == "VAULT_TOKEN, policies hidden"


def test_a_token_it_does_not_know_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TokenRejected, match="VAULT_TOKEN is expired or invalid"):
        _look(tmp_path, {**OPEN, SELF: status(403), MOUNTS: status(403)}, VAULT_TOKEN="hunter2")


def test_a_sealed_one_needs_a_person(tmp_path: Path) -> None:
    with pytest.raises(PersonNeeded):
        _look(tmp_path, {"/v1/sys/health": {"initialized": True, "sealed": True}})


def test_no_token_is_a_warning_with_the_login(tmp_path: Path) -> None:
    finding = _look(tmp_path, OPEN)[1]
    assert (finding.grade.value, finding.fix) == ("warn", "VAULT_ADDR=https://vault.example.org vault login")


def test_a_vault_in_trouble_is_not_a_bad_token(tmp_path: Path) -> None:
    with pytest.raises(HttpStatus):
        _look(tmp_path, {**OPEN, SELF: status(500), MOUNTS: status(500)}, VAULT_TOKEN="hunter2")
