"""What changes runs, where the runs of two kinds of CI are one answer, and images in a registry."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from homelab.lab import process
from homelab.lab.actions.server import LabActions
from homelab.lab.caddy import start_caddy
from homelab.lab.process import start_part, wait_ready
from homelab.lab.ready import read_ready
from homelab.lab.woodpecker.hook import install
from tests.e2e.ci_shop import GREEN, RED, SLOW, Shop, actions_shop, shop
from tests.lab.actions.lab import make_config
from tests.lab.woodpecker.lab import TOKENS

FLAKY = (
    "steps:\n  - name: test\n    image: bash\n    commands:\n"
    "      - if [ -e {mark} ]; then echo fine; else touch {mark}; exit 1; fi\n"
)
WORKFLOW = "on: [push, workflow_dispatch]\njobs:\n  build:\n    runs-on: docker\n    steps:\n      - run: {command}\n"


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Shop]:
    with shop(tmp_path / "lab") as made:
        yield made


def test_a_restarted_run_that_is_green_makes_the_commit_green(here: Shop, tmp_path: Path) -> None:
    here.push(FLAKY.format(mark=tmp_path / "mark"))
    first = here.homelab("watch")
    again = here.homelab("restart")
    second = here.homelab("watch")
    nothing = here.homelab("restart")
    named = here.homelab("restart", "--pipeline", "2")

    assert (first.code, again.code, second.code) == (1, 0, 0), first.plain + again.plain + second.plain
    assert "restarted #1 as #2" in again.err
    assert "CI green: #2" in second.err
    assert "nothing to restart" in nothing.err
    assert "--pipeline 2" in nothing.out
    assert "restarted #2 as #3" in named.err
    assert named.out.endswith("--pipeline 3\n")


def test_push_cron_and_restart_of_one_commit_are_told_apart(here: Shop, tmp_path: Path) -> None:
    oid = here.push(FLAKY.format(mark=tmp_path / "mark"))
    here.world.wait_quiet(1)
    here.world.hook(ref="refs/heads/main", after=oid, event="cron", cron="nightly", branch="main")
    here.world.wait_quiet(2)
    pushed, nightly, both = (here.homelab("status", *words) for words in ([], ["--event", "cron"], ["--event", "any"]))
    here.homelab("restart")
    again = here.homelab("watch")

    # The push failed and the cron of the very same commit, later, is green: it does not speak for the push.
    assert (pushed.code, nightly.code, both.code) == (1, 0, 1), pushed.plain + nightly.plain + both.plain
    assert "CI green: #2" in nightly.err
    assert (again.code, "CI green: #3" in again.err) == (0, True), again.plain


def test_a_cancelled_run_is_9_and_cancelling_again_changes_nothing(here: Shop) -> None:
    here.push(SLOW)
    here.world.wait(1, "running")
    cancelled = here.homelab("cancel")
    here.world.wait_quiet(1)
    watched = here.homelab("watch")

    assert "cancelled #1" in cancelled.err
    assert watched.code == 9, watched.plain
    assert "nothing to cancel" in here.homelab("cancel").err


def test_a_blocked_run_is_approved_or_declined_from_here(tmp_path: Path) -> None:
    with shop(tmp_path / "lab", require_approval="all_events") as here:
        here.push(GREEN)
        here.world.wait(1, "blocked")
        approved, green = here.homelab("approve"), here.homelab("watch")
        here.push(GREEN, message="two")
        here.world.wait(2, "blocked")
        declined, red = here.homelab("decline"), here.homelab("watch")

    assert (approved.code, green.code) == (0, 0), approved.plain + green.plain
    assert (declined.code, red.code) == (0, 1), declined.plain + red.plain
    assert "#2 declined by dev" in red.plain


def test_without_the_right_to_push_a_change_is_4_and_names_the_right(here: Shop) -> None:
    here.push(RED)
    here.homelab("watch")

    ran = here.homelab("restart", WOODPECKER_TOKEN=TOKENS["reader"])

    assert ran.code == 4, ran.plain
    assert "the right to push" in ran.err


def test_a_trigger_runs_the_branch_and_says_when_nothing_matched(here: Shop) -> None:
    here.push(GREEN)
    here.homelab("watch")
    made = here.homelab("trigger", "--var", "WHO=me")
    watched = here.homelab("watch", "--event", "manual")
    here.push("when:\n  event: push\n" + GREEN, message="push only")
    nothing = here.homelab("trigger")

    assert made.code == 0, made.plain
    assert "triggered #2 of main" in made.err
    assert watched.code == 0, watched.plain
    assert nothing.code == 7, nothing.plain
    assert "runs on the event manual" in nothing.err


def test_recent_runs_are_listed_and_a_page_is_printed(here: Shop) -> None:
    here.push(GREEN, message="first of all")
    here.homelab("watch")
    here.push(RED)
    here.homelab("watch")

    listed = here.homelab("list").out.splitlines()

    assert [line.split()[:2] for line in listed] == [["#2", "failure"], ["#1", "success"]]
    assert listed[1].endswith("first of all")
    assert here.homelab("list", "--state", "failure").out.count("\n") == 1
    assert here.homelab("open").out == "https://ci.homelab.test/repos/1/pipeline/2\n"


def test_a_run_is_named_by_its_number_whatever_is_checked_out(here: Shop) -> None:
    here.push(RED)
    here.homelab("watch")
    here.push(GREEN)
    here.homelab("watch")

    assert here.homelab("status", "--pipeline", "1").code == 1
    assert "about to break" in here.homelab("logs", "--pipeline", "1", "--failed").out
    assert here.homelab("status", "--pipeline", "9").code == 7


def test_a_command_is_told_of_a_red_outcome(here: Shop, tmp_path: Path) -> None:
    here.push(RED)
    told = tmp_path / "told"

    ran = here.homelab("watch", "--notify", f'echo "$HOMELAB_EXIT_CODE $HOMELAB_OUTCOME" > {told}')

    assert ran.code == 1
    assert told.read_text() == "1 red\n"


@pytest.fixture
def both(tmp_path: Path) -> Iterator[Shop]:
    """One repository that a Woodpecker and a forge's Actions build."""
    folder = tmp_path / "lab"
    with shop(folder) as made:
        config = make_config(folder, "forgejo", "D")
        with LabActions(config, folder / "actions") as actions:
            install(folder / "shop.git", folder / "state", folder / "actions")
            caddy = start_caddy(folder / "forge", {"git.homelab.test": f"127.0.0.1:{actions.port}"})
            try:
                made.env |= _two_servers(folder, made, caddy.dial, str(caddy.ca_file))
                yield made
            finally:
                process.stop(caddy.child)


def _two_servers(folder: Path, made: Shop, dial: str, ca_file: str) -> dict[str, str]:
    file = folder / "config.toml"
    file.write_text(
        f"""
[ci.woods]
kind = "woodpecker"
url = "https://ci.homelab.test"
dial = "{made.env.pop("HOMELAB_CI_DIAL")}"
ca_file = "{made.env.pop("HOMELAB_CI_CA_FILE")}"
token_env = ["WOODPECKER_TOKEN"]
forges = ["git.homelab.test"]

[ci.forge]
kind = "forgejo"
url = "https://git.homelab.test"
dial = "{dial}"
ca_file = "{ca_file}"
token_env = ["FORGE_TOKEN"]
forges = ["git.homelab.test"]
"""
    )
    for name in ("HOMELAB_CI_URL", "HOMELAB_CI_KIND"):
        made.env.pop(name)
    return {"HOMELAB_CONFIG": str(file), "FORGE_TOKEN": TOKENS["dev"]}


@pytest.mark.parametrize(("woods", "forge", "code"), [(GREEN, "echo ok", 0), (GREEN, "exit 4", 1), (RED, "echo ok", 1)])
def test_two_kinds_of_ci_are_one_answer(both: Shop, woods: str, forge: str, code: int) -> None:
    both.world.push({".woodpecker.yaml": woods, ".forgejo/workflows/ci.yml": WORKFLOW.format(command=forge)})

    ran = both.homelab("watch", "--timeout", "30")

    assert ran.code == code, ran.plain
    assert "https://ci.homelab.test" in ran.err
    assert "https://git.homelab.test" in ran.err


def test_a_kind_that_has_nothing_to_run_does_not_spoil_green(both: Shop) -> None:
    both.push(GREEN)

    ran = both.homelab("status")
    watched = both.homelab("watch", "--appear-timeout", "2")

    assert watched.code == 0, watched.plain
    assert ran.code in {0, 8}, ran.plain


def test_what_actions_cannot_do_by_call_is_6_with_the_page(tmp_path: Path) -> None:
    with actions_shop(tmp_path / "lab", "forgejo", "D") as here:
        here.world.push({".forgejo/workflows/ci.yml": WORKFLOW.format(command="exit 1")})
        here.homelab("watch")
        ran = here.homelab("restart")

    assert ran.code == 6, ran.plain
    assert "open https://git.homelab.test/lab/shop/actions/runs/1" in ran.err


def test_gitea_reruns_and_forgejo_cancels_and_both_trigger(tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    with actions_shop(tmp_path / "gitea", "gitea", "D") as here:
        command = f"if [ -e {mark} ]; then echo fine; else touch {mark}; exit 1; fi"
        here.world.push({".gitea/workflows/ci.yml": WORKFLOW.format(command=f'"{command}"')})
        red, again, green = here.homelab("watch"), here.homelab("restart"), here.homelab("watch")
        triggered = here.homelab("trigger")
    with actions_shop(tmp_path / "forgejo", "forgejo", "D") as here:
        here.world.push({".forgejo/workflows/ci.yml": WORKFLOW.format(command="sleep 20")})
        while here.homelab("list", "--state", "running").out == "":
            time.sleep(0.1)
        cancelled, watched = here.homelab("cancel"), here.homelab("watch", "--timeout", "20")

    assert (red.code, again.code, green.code) == (1, 0, 0), red.plain + again.plain + green.plain
    assert triggered.code == 0, triggered.plain
    assert (cancelled.code, watched.code) == (0, 9), cancelled.plain + watched.plain


@pytest.mark.parametrize("users", [None, {"ann": "secret"}], ids=["open", "with tokens"])
def test_an_image_is_waited_for_and_printed_with_its_digest(
    here: Shop, tmp_path: Path, users: dict[str, str] | None
) -> None:
    oid = here.push(GREEN)
    registry, ready = start_part("registry", "--port", "0", folder=tmp_path / "registry")
    port = wait_ready(registry, lambda: read_ready(ready))["port"]
    image = f"127.0.0.1:{port}/lab/shop"
    push = [
        sys.executable,
        "-m",
        "homelab.lab.registry.push",
        f"{image}:{oid[:12]}",
        "--to",
        f"http://127.0.0.1:{port}",
    ]

    def pushed() -> None:
        subprocess.run(push, cwd=here.world.clone, check=True, capture_output=True)

    try:
        if users is None:
            absent = here.homelab("wait", "--image", image + ":{sha12}", "--timeout", "0.2")
            later = here.later(lambda: (time.sleep(0.5), pushed()))
            ran = here.homelab("wait", "--image", image + ":{sha12}", "--timeout", "20")
            later.join()
            assert absent.code == 8, absent.plain
        else:
            pushed()
            process.stop(registry)
            (tmp_path / "users.json").write_text(json.dumps(users))
            words = ("--port", str(port), "--users-file", str(tmp_path / "users.json"))
            registry, ready = start_part("registry", *words, folder=tmp_path / "registry")
            wait_ready(registry, lambda: read_ready(ready))
            refused = here.homelab("wait", "--image", image + ":{sha12}", "--timeout", "5")
            auth = base64.b64encode(b"ann:secret").decode()
            (tmp_path / "docker").mkdir()
            stored = {"auths": {f"127.0.0.1:{port}": {"auth": auth}}}
            (tmp_path / "docker" / "config.json").write_text(json.dumps(stored))
            ran = here.homelab("wait", "--image", image + ":{sha12}", DOCKER_CONFIG=str(tmp_path / "docker"))
            assert refused.code == 4, refused.plain
    finally:
        process.stop(registry)

    assert ran.code == 0, ran.plain
    assert ran.out.startswith(f"{image}:{oid[:12]}@sha256:")
