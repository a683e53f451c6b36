"""What a server can be asked is fetched once, and never believed longer than it is true."""

from __future__ import annotations

from pathlib import Path

import pytest

from homelab.ci.actions.client import Actions
from homelab.ci.actions.kept import FRESH, KeptPowers
from homelab.ci.actions.powers import Powers
from homelab.ci.model import State
from homelab.errors import PersonNeeded
from tests.ci.fakes import OID, FakeForge, pipeline, status
from tests.fakes import FakeClock

REPO = "/api/v1/repos/o/r"
PATHS = {f"/repos/{{owner}}/{{repo}}{path}": {"get": {}} for path in ("/actions/tasks", "/actions/runs")}
CANCEL = "/repos/{owner}/{repo}/actions/runs/{run}/cancel"


def forge(version: str = "15.0.3+gitea-1.22.0", **answers: object) -> FakeForge:
    return FakeForge(
        {
            REPO: {"full_name": "o/r"},
            "/api/v1/version": {"version": version},
            "/swagger.v1.json": {"paths": {**PATHS, CANCEL: {"post": {}}}},
            f"{REPO}/actions/runs": {"workflow_runs": []},
            f"{REPO}/commits/{OID}/status": {"statuses": None},
            **answers,
        }
    )


@pytest.fixture
def kept(tmp_path: Path, clock: FakeClock) -> KeptPowers:
    return KeptPowers(tmp_path, clock.now)


def asked(http: FakeForge, kept: KeptPowers, clock: FakeClock) -> int:
    """Ask for runs in a new process, and say how often the description was fetched."""
    Actions(http, "o/r", name="forge", clock=clock, kept=kept).runs_of(OID)
    return http.asked.count("/swagger.v1.json")


def test_a_description_is_fetched_once_for_a_version(kept: KeptPowers, clock: FakeClock) -> None:
    http = forge()

    assert [asked(http, kept, clock) for _ in range(3)] == [1, 1, 1]
    http.answers["/api/v1/version"] = {"version": "16.0.1+gitea-1.22.0"}
    assert asked(http, kept, clock) == 2


def test_what_was_kept_is_forgotten_after_a_day(kept: KeptPowers, clock: FakeClock) -> None:
    http = forge()
    asked(http, kept, clock)
    clock.sleep(FRESH + 1)

    assert asked(http, kept, clock) == 2


def test_a_server_that_tells_no_version_keeps_nothing(kept: KeptPowers, clock: FakeClock) -> None:
    http = forge(**{"/api/v1/version": status(403)})

    assert [asked(http, kept, clock) for _ in range(2)] == [1, 2]


def test_a_404_to_a_kept_call_drops_it_and_asks_the_other_way(kept: KeptPowers, clock: FakeClock) -> None:
    http = forge()
    asked(http, kept, clock)
    http.answers[f"{REPO}/actions/runs"] = status(404)
    http.answers[f"{REPO}/actions/tasks"] = {"workflow_runs": []}
    http.answers["/swagger.v1.json"] = {"paths": {}}

    assert asked(http, kept, clock) == 1
    assert f"{REPO}/actions/tasks" in http.asked
    assert asked(http, kept, clock) == 2


def test_a_404_to_a_kept_write_says_that_a_person_must(kept: KeptPowers, clock: FakeClock) -> None:
    ci = Actions(forge(), "o/r", name="forge", clock=clock, kept=kept)

    with pytest.raises(PersonNeeded, match="no call to cancel"):
        ci.cancel(pipeline(3, State.RUNNING))
    assert kept.load("https://git.example.org", "15.0.3+gitea-1.22.0") is None


def test_a_broken_file_is_none(tmp_path: Path, kept: KeptPowers) -> None:
    kept.keep("https://git.example.org", "1", Powers(runs=True))
    (file,) = tmp_path.glob("powers-*.json")
    file.write_text("{")

    assert kept.load("https://git.example.org", "1") is None
