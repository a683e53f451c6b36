from __future__ import annotations

from typing import Any

import pytest

from homelab.errors import HomelabError, PersonNeeded, Unreachable
from homelab.secrets.seal import judge_health, require_open
from homelab.settings.model import VaultServer
from tests.secrets.fakes import HEALTHY, FakeVault, refused

VAULT = VaultServer(addr="https://vault.example.org", namespace="team")


def test_an_active_vault_passes() -> None:
    assert judge_health(HEALTHY, VaultServer(addr="https://v")) is False


def test_a_standby_node_is_told_apart() -> None:
    assert judge_health({**HEALTHY, "standby": True}, VaultServer(addr="https://v")) is True


@pytest.mark.parametrize(
    ("health", "error", "said"),
    [
        ({"initialized": False, "sealed": True}, PersonNeeded, "is not initialised"),
        ({"initialized": True, "sealed": True}, PersonNeeded, "is sealed"),
        ({**HEALTHY, "replication_dr_mode": "secondary"}, Unreachable, "disaster-recovery secondary"),
        ([], Unreachable, "unknown form"),
    ],
)
def test_a_vault_that_cannot_answer_says_which_way(health: Any, error: type[HomelabError], said: str) -> None:
    with pytest.raises(error, match=said):
        judge_health(health, VaultServer(addr="https://v"))


def test_health_is_asked_without_token_and_namespace() -> None:
    vault = FakeVault({})
    require_open(vault, VAULT)
    assert vault.asked == [("/v1/sys/health", None)]
    assert vault.sites[0].headers == ()


def test_a_hidden_health_path_stops_nobody() -> None:
    assert require_open(FakeVault({"/v1/sys/health": refused(404)}), VAULT) is False
