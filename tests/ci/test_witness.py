"""The forge as a witness: it names runs, it decides nothing, and its silence is said."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from homelab.ci.actions.client import Actions
from homelab.ci.choice import Choice
from homelab.ci.request import CiRequest
from homelab.ci.result import CiResult
from homelab.ci.status import status as look
from homelab.ci.watch import watch
from homelab.ci.witness import Statement, Witness
from homelab.ci.woodpecker.client import Woodpecker
from homelab.errors import HomelabError, TokenMissing, Unreachable
from homelab.forge.model import CommitStatus, Mark, Request
from homelab.git.repository import open_repository
from homelab.outcome import Outcome
from tests.ci.fakes import Checkout, FakeWoodpecker, raw_pipeline
from tests.ci.fakes import FakeForge as FakeForgeHttp
from tests.fakes import FakeClock

LANDED = Choice(target="main", landed=True)


@dataclass
class FakeForge:
    """Implements Forge: the statuses it was given, or its trouble."""

    statuses_: Sequence[CommitStatus] = ()
    fail: HomelabError | None = None
    asked: list[str] = field(default_factory=list)

    def statuses(self, oid: str, *, budget: float | None = None) -> Sequence[CommitStatus]:
        self.asked.append(oid)
        if self.fail is not None:
            raise self.fail
        return self.statuses_

    def open_request(self, request: Request) -> str:
        raise NotImplementedError


def posted(number: int, mark: Mark = Mark.PENDING, *, repo: int = 7, host: str = "ci.example.org") -> CommitStatus:
    page = f"https://{host}/repos/{repo}/pipeline/{number}/1"
    return CommitStatus("ci/woodpecker/push/build", mark, page, id=number)


class Asked:
    """One question with a forge behind it."""

    def __init__(self, ci: Woodpecker, checkout: Checkout, clock: FakeClock, forge: FakeForge) -> None:
        self.ci, self.checkout, self.clock, self.forge = ci, checkout, clock, forge

    def __call__(self, verb: Any = watch, choice: Choice = LANDED, **more: Any) -> CiResult:
        request = CiRequest(oid=self.checkout.first, choice=choice)
        repository = open_repository(self.checkout.root, {})
        witness = Witness(lambda: self.forge)
        if verb is watch:
            more["emit"] = lambda _: None
        result: CiResult = verb(self.ci, request, repository=repository, clock=self.clock, witness=witness, **more)
        return result


@pytest.fixture
def forge() -> FakeForge:
    return FakeForge()


@pytest.fixture
def ask(ci: Woodpecker, checkout: Checkout, clock: FakeClock, forge: FakeForge) -> Asked:
    return Asked(ci, checkout, clock, forge)


def unlisted(server: FakeWoodpecker, *raws: Any) -> None:
    """Runs that the server shows by number and does not list: a thousand newer ones came."""
    server.add(*raws)
    below = server._below
    numbers = {raw["number"] for raw in raws}

    def answer(rest: list[str], params: Any) -> Any:
        found = below(rest, params)
        return [row for row in found if row["number"] not in numbers] if rest == ["pipelines"] else found

    server._below = answer  # type: ignore[method-assign]


@pytest.mark.parametrize("verb", [watch, look])
def test_a_run_that_only_the_forge_names_is_found_and_judged(
    ask: Asked, server: FakeWoodpecker, forge: FakeForge, checkout: Checkout, verb: Any
) -> None:
    unlisted(server, raw_pipeline(12, "failure", commit=checkout.first))
    forge.statuses_ = [posted(12, Mark.SUCCESS)]

    result = ask(verb)

    # The status says success, the run failed: the run is believed.
    assert (result.outcome, [run.number for run in result.pipelines]) == (Outcome.RED, [12])


def test_a_blocked_run_that_only_the_forge_names_ends_with_6(
    ask: Asked, server: FakeWoodpecker, forge: FakeForge, checkout: Checkout
) -> None:
    unlisted(server, raw_pipeline(12, "blocked", commit=checkout.first))
    forge.statuses_ = [posted(12)]

    assert ask().outcome is Outcome.PERSON


def test_a_status_of_another_commits_run_is_named_not_believed(
    ask: Asked, server: FakeWoodpecker, forge: FakeForge
) -> None:
    unlisted(server, raw_pipeline(12, commit="c" * 40))
    forge.statuses_ = [posted(12, Mark.SUCCESS)]

    result = ask()

    assert result.outcome is Outcome.NOTHING
    assert "the forge has a status of #12, which home does not show for this commit" in result.reasons


def test_a_run_of_another_event_that_the_forge_names_is_said(
    ask: Asked, server: FakeWoodpecker, forge: FakeForge, checkout: Checkout
) -> None:
    unlisted(server, raw_pipeline(12, commit=checkout.first, event="tag", branch=""))
    forge.statuses_ = [posted(12)]

    result = ask()

    assert result.outcome is Outcome.NOTHING
    assert any("but there is #12 tag" in reason for reason in result.reasons), result.reasons


@pytest.mark.parametrize("other", [posted(12, repo=8), CommitStatus("jenkins", Mark.SUCCESS, "https://j.example/12")])
def test_other_ci_is_named_and_makes_nothing_green(ask: Asked, forge: FakeForge, other: CommitStatus) -> None:
    forge.statuses_ = [other]

    result = ask()

    assert result.outcome is Outcome.NOTHING
    assert any(
        reason.startswith(f"other CI on the forge, not judged here: {other.context}") for reason in result.reasons
    )
    assert result.reasons[0] == "probably filtered by event, branch or path for push on main"


def test_no_status_is_said_to_have_been_looked_for(ask: Asked, clock: FakeClock) -> None:
    result = ask()

    assert (result.outcome, int(clock.elapsed)) == (Outcome.NOTHING, 90)
    assert "no status on the forge either" in result.reasons[1]


@pytest.mark.parametrize(
    "trouble",
    [
        TokenMissing("no token is configured for the forge git.example", why="-", fix="-"),
        Unreachable("the forge git.example does not answer", why="-", fix="-"),
    ],
)
@pytest.mark.parametrize("verb", [watch, look])
def test_a_forge_that_cannot_be_asked_is_not_none(
    ask: Asked, forge: FakeForge, trouble: HomelabError, verb: Any
) -> None:
    forge.fail = trouble

    result = ask(verb)

    assert f"not checked: the forge's statuses ({trouble.what})" in " ".join(result.reasons)
    assert "no status" not in " ".join(result.reasons)


@pytest.mark.parametrize("verb", [watch, look])
def test_green_names_other_ci_that_is_not_and_stays_green(
    ask: Asked, server: FakeWoodpecker, forge: FakeForge, checkout: Checkout, verb: Any
) -> None:
    server.add(raw_pipeline(12, commit=checkout.first, created=1_600_000_000))
    forge.statuses_ = [
        posted(12, Mark.SUCCESS),
        CommitStatus("sonar", Mark.FAILURE, "https://sonar.example/1"),
        CommitStatus("docs", Mark.SUCCESS),
    ]

    result = ask(verb)

    assert result.outcome is Outcome.DONE
    assert list(result.reasons) == ["other CI, not judged here: sonar failure https://sonar.example/1"]


def test_green_is_green_without_the_forge(
    ask: Asked, server: FakeWoodpecker, forge: FakeForge, checkout: Checkout
) -> None:
    server.add(raw_pipeline(12, commit=checkout.first))
    forge.fail = Unreachable("away", why="-", fix="-")

    result = ask()

    assert (result.outcome, result.reasons) == (Outcome.DONE, ())


def test_what_a_status_says_reaches_no_terminal_raw(ask: Asked, forge: FakeForge) -> None:
    forge.statuses_ = [CommitStatus("\x1b]0;owned\x07evil" * 40, Mark.FAILURE, "https://x.example/\x1b[2J" + "y" * 900)]

    said = " ".join(ask().reasons)

    assert "\x1b" not in said
    assert len(said) < 600


def test_a_forges_own_actions_are_not_other_ci() -> None:
    http = FakeForgeHttp({})
    actions = Actions(http, "o/r", name="forge", clock=FakeClock())
    statuses = (
        CommitStatus("CI / build (push)", Mark.FAILURE, "/o/r/actions/runs/3/jobs/0"),
        CommitStatus("CI / build (push)", Mark.FAILURE, "/other/r/actions/runs/3/jobs/0"),
    )

    assert Statement(asked=True, statuses=statuses).of_others([actions]) == statuses[1:]
