from __future__ import annotations

from homelab.ci.choice import Choice
from homelab.ci.request import CiRequest
from tests.ci.fakes import OID


def test_the_command_that_continues_asks_the_same_in_the_same_way() -> None:
    request = CiRequest(
        oid=OID,
        choice=Choice(event="tag", branch="it's", number=7),
        wait_approval=True,
        fail_fast=True,
        flags=("--ci", "home"),
        patience=("--timeout", "5s", "--notify", "say done"),
    )

    assert request.command() == (
        f"homelab ci watch {OID[:12]} --event tag --branch 'it'\"'\"'s' --pipeline 7 --wait-approval --fail-fast"
        " --timeout 5s --notify 'say done' --ci home"
    )
    assert request.command("logs", "--failed") == (
        f"homelab ci logs {OID[:12]} --event tag --branch 'it'\"'\"'s' --pipeline 7 --ci home --failed"
    )


def test_a_commit_that_is_not_here_is_named_whole() -> None:
    assert CiRequest(oid=OID, rev=OID).command("status") == f"homelab ci status {OID}"
