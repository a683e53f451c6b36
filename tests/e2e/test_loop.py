"""The whole loop in the lab, as a user runs it: commands in, output and exit codes out."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal

import pytest

from tests.e2e.lab_user import User, user

__all__ = ["user"]

pytestmark = pytest.mark.timeout(300)


def running(user: User) -> str:
    """The image of the pods that run, as kubectl sees them."""
    return user.shell("kubectl -n demo get pods -o jsonpath='{.items[*].spec.containers[*].image}'")


def test_a_green_loop_ends_with_the_landed_commit_running_and_costs_a_reader_600_bytes(user: User) -> None:
    tree = user.change("louder", "hello.py", 'GREETING = "hello"', 'GREETING = "HELLO"')
    land = user.types("work", "land", cwd=tree)
    assert land.returncode == 0, land.stdout + land.stderr
    landed = user.shell("git rev-parse origin/main").strip()
    assert re.match(r"LANDED " + landed[:12], land.stdout)
    assert set(running(user).split()) == {f"registry.homelab.test/demo/hello:{landed}"}
    assert land.stderr.splitlines()[-1].startswith("done (exit 0)")
    assert len((land.stdout + land.stderr).encode()) <= 600


def test_ci_status_and_deploy_wait_say_the_same_afterwards(user: User) -> None:
    status = user.types("ci", "status", "origin/main", "--json")
    assert (status.returncode, json.loads(status.stdout)["outcome"]) == (0, "done")
    assert user.types("ci", "watch", "origin/main").returncode == 0
    assert user.types("deploy", "wait", "--sha", "origin/main", "--stable-for", "0").returncode == 0


def test_red_ci_ends_with_20_and_the_failing_lines(user: User) -> None:
    tree = user.change("plain-health", "hello.py", '"/healthz"', '"/health"')
    land = user.types("work", "land", cwd=tree)
    assert land.returncode == 20, land.stdout + land.stderr
    assert land.stdout.startswith("LANDED ")
    assert "smoke: /healthz answered 'hello, healthz', expected 'ok'" in land.stdout.lower()
    assert "smoke" in land.stdout
    assert land.stderr.splitlines()[-1].startswith("landed, CI red (exit 20)")
    assert len((land.stdout + land.stderr).encode()) <= 4096
    back = user.change("health-back", "hello.py", '"/health"', '"/healthz"')
    assert user.types("work", "land", cwd=back).returncode == 0


def test_an_image_that_cannot_be_pulled_ends_with_22_and_its_name(user: User) -> None:
    before = running(user)
    image = "hello=registry.homelab.test/demo/hello:$CI_COMMIT_SHA"
    tree = user.change("slim-image", ".woodpecker.yaml", image, f"{image}-slim")
    land = user.types("work", "land", cwd=tree)
    assert land.returncode == 22, land.stdout + land.stderr
    landed = user.shell("git rev-parse origin/main").strip()
    assert land.stdout.startswith(f"LANDED {landed[:12]}")
    assert f"registry.homelab.test/demo/hello:{landed}-slim" in land.stdout
    assert f"{landed}-slim" in land.stderr
    assert before.split()[0] in running(user)
    assert len((land.stdout + land.stderr).encode()) <= 4096


def test_a_second_up_starts_nothing(user: User) -> None:
    before = (user.lab / "children.json").read_text()
    assert user.types("lab", "up", "--dir", str(user.lab)).returncode == 0
    assert (user.lab / "children.json").read_text() == before


def test_a_part_that_died_comes_back_where_it_was_and_the_others_are_left_alone(user: User) -> None:
    before, config = json.loads((user.lab / "children.json").read_text()), (user.lab / "config.toml").read_text()
    os.kill(before["woodpecker"]["pid"], signal.SIGKILL)
    assert user.types("lab", "up", "--dir", str(user.lab)).returncode == 0
    after = json.loads((user.lab / "children.json").read_text())
    assert {name for name in after if after[name]["pid"] != before[name]["pid"]} == {"woodpecker"}
    assert (user.lab / "config.toml").read_text() == config
    assert user.types("ci", "list").returncode == 0


@pytest.mark.skipif(shutil.which("curl") is None, reason="there is no curl here")
def test_curl_asks_the_labs_ci_by_its_public_name(user: User) -> None:
    asked = f"curl --config {user.lab}/secrets/curl https://ci.homelab.test/api/user"
    assert json.loads(user.shell(asked))["login"] == "person"
    assert (user.lab / "secrets" / "curl").stat().st_mode & 0o077 == 0


def test_doctor_finds_every_part_of_the_lab_in_reach(user: User) -> None:
    doctor = user.types("doctor")
    assert doctor.returncode == 0, doctor.stdout + doctor.stderr


def test_no_output_and_no_argv_of_the_lab_holds_a_secret(user: User) -> None:
    secrets = [file.read_text().strip() for file in (user.lab / "secrets").iterdir() if "token" in file.name]
    assert secrets
    shown = user.types("config", "show").stdout + user.types("lab", "status", "--dir", str(user.lab)).stdout
    argv = user.shell("cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\\0' ' ' || ps -axo args")
    for secret in secrets:
        assert secret not in shown
        assert secret not in argv
