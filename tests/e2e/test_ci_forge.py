"""The forge beside the CI server: real statuses posted by one, read by ``homelab ci`` from the other."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from homelab.lab import process
from homelab.lab.actions.server import LabActions
from homelab.lab.caddy import start_caddy
from homelab.secret import Secret
from tests.e2e.ci_shop import GREEN, RED, Shop, shop
from tests.lab.actions.lab import REPO, make_config
from tests.lab.woodpecker.lab import TOKENS, send

FORGE = """
[forge."git.homelab.test"]
kind = "forgejo"
api = "https://git.homelab.test/api/v1"
dial = "{dial}"
ca_file = "{ca_file}"
token_env = ["FORGE_TOKEN"]
"""


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Shop]:
    """A Woodpecker that posts its statuses to a forge, and a user whose file knows that forge."""
    folder = tmp_path / "lab"
    with LabActions(make_config(folder, "forgejo", "A"), tmp_path / "forge") as forge:
        caddy = start_caddy(tmp_path / "caddy", {"git.homelab.test": f"127.0.0.1:{forge.port}"})
        try:
            with shop(folder, status_api=forge.url, status_token=Secret(TOKENS["dev"])) as made:
                file = tmp_path / "config.toml"
                file.write_text(FORGE.format(dial=caddy.dial, ca_file=caddy.ca_file))
                made.env |= {"HOMELAB_CONFIG": str(file), "FORGE_TOKEN": TOKENS["dev"], "FORGE": forge.url}
                yield made
        finally:
            process.stop(caddy.child)


def post(here: Shop, oid: str, context: str, state: str) -> None:
    """What another CI would write."""
    headers = {"Authorization": f"token {TOKENS['dev']}", "Content-Type": "application/json"}
    body = {"context": context, "state": state, "target_url": "https://other.example/1"}
    assert send(f"{here.env['FORGE']}{REPO}/statuses/{oid}", "POST", body, headers).status == 201


def test_green_names_other_ci_that_is_not(here: Shop) -> None:
    oid = here.push(GREEN)
    post(here, oid, "sonar", "failure")
    post(here, oid, "docs", "success")

    ran = here.homelab("watch")
    listed = here.homelab("list")

    assert ran.code == 0, ran.plain
    assert f"ci: other CI of {oid[:12]}, not listed: sonar failure https://other.example/1, docs success" in listed.err
    assert listed.out.startswith("#1  success  push")
    assert ran.out == "other CI, not judged here: sonar failure https://other.example/1\n"


def test_before_saying_none_the_forges_statuses_are_read(here: Shop) -> None:
    here.push(RED)
    here.world.wait_quiet(1)
    # The push's own context is the CI server's, and is not taken for another's.
    tag = here.homelab("watch", "--event", "tag", "--appear-timeout", "1")
    here.push("when:\n  event: tag\n" + GREEN)
    filtered = here.homelab("watch", "--appear-timeout", "1")
    refused = here.homelab("status", FORGE_TOKEN="wrong")
    missing = here.homelab("status", FORGE_TOKEN="")

    assert [one.code for one in (tag, filtered, refused, missing)] == [7, 7, 7, 7]
    assert "but there is #1 push main failure" in tag.out
    assert "other CI" not in tag.out
    assert "filtered out, as far as homelab reads it: .woodpecker.yaml wants the events tag, not push" in filtered.out
    assert "no status on the forge either" in filtered.out
    assert "not checked: the forge's statuses (the forge git.homelab.test answered 401" in refused.out
    assert "not checked: the forge's statuses (no token for forgejo" in missing.out
