from __future__ import annotations

import pytest

from homelab.ci.choice import Choice
from homelab.ci.request import CiRequest
from homelab.ci.status import status
from homelab.ci.woodpecker.client import Woodpecker
from homelab.git.repository import open_repository
from homelab.outcome import Outcome
from tests.ci.fakes import Checkout, FakeWoodpecker, raw_pipeline
from tests.fakes import FakeClock


@pytest.mark.parametrize(
    ("state", "outcome"),
    [
        ("success", Outcome.DONE),
        ("failure", Outcome.RED),
        ("running", Outcome.PENDING),
        ("blocked", Outcome.PERSON),
        ("killed", Outcome.SUPERSEDED),
        ("skipped", Outcome.NOTHING),
    ],
)
def test_one_look_answers_by_the_table(
    ci: Woodpecker, server: FakeWoodpecker, checkout: Checkout, clock: FakeClock, *, state: str, outcome: Outcome
) -> None:
    clock.time += 3600
    server.add(raw_pipeline(12, state, commit=checkout.first))
    request = CiRequest(oid=checkout.first, choice=Choice(target="main", landed=True))

    result = status(ci, request, repository=open_repository(checkout.root, {}), clock=clock)

    assert outcome is result.outcome
    assert clock.elapsed == 3600


def test_no_run_is_7_with_reasons(ci: Woodpecker, checkout: Checkout, clock: FakeClock) -> None:
    request = CiRequest(oid=checkout.first, choice=Choice(target="main", landed=True))

    result = status(ci, request, repository=open_repository(checkout.root, {}), clock=clock)

    assert Outcome.NOTHING is result.outcome
    assert result.reasons


@pytest.mark.parametrize("ahead", [-600.0, 600.0])
def test_a_clock_that_is_wrong_does_not_strand_what_was_just_created(
    ci: Woodpecker, server: FakeWoodpecker, checkout: Checkout, clock: FakeClock, ahead: float
) -> None:
    server.ahead = ahead
    now = int(clock.now() + ahead)
    server.add(raw_pipeline(12, "created", commit=checkout.first, created=now, updated=now, started=0, workflows=[]))
    request = CiRequest(oid=checkout.first, choice=Choice(target="main", landed=True))

    result = status(ci, request, repository=open_repository(checkout.root, {}), clock=clock)

    assert result.outcome is Outcome.PENDING


def test_a_fresh_commit_without_a_run_is_not_yet_unless_something_speaks_against_one(
    ci: Woodpecker, server: FakeWoodpecker, checkout: Checkout
) -> None:
    repository = open_repository(checkout.root, {})
    fresh = FakeClock(repository.commit(checkout.first).committed + 5)
    request = CiRequest(oid=checkout.first, choice=Choice(target="main", landed=True))

    first = status(ci, request, repository=repository, clock=fresh)
    assert server.repo is not None
    server.repo["active"] = False
    second = status(ci, request, repository=repository, clock=fresh)

    assert (first.outcome, second.outcome) == (Outcome.PENDING, Outcome.NOTHING)
    assert first.headline.endswith("yet")


def test_a_run_that_is_listed_and_not_shown_is_pending(
    ci: Woodpecker, server: FakeWoodpecker, checkout: Checkout, clock: FakeClock
) -> None:
    server.add(raw_pipeline(12, commit=checkout.first), raw_pipeline(13, commit=checkout.first, event="cron"))
    server.hidden = {13}
    repository = open_repository(checkout.root, {})
    choices = (Choice(event="cron"), Choice(event="any"))

    found = [
        status(ci, CiRequest(oid=checkout.first, choice=choice), repository=repository, clock=clock).outcome
        for choice in choices
    ]

    assert found == [Outcome.PENDING, Outcome.PENDING]
