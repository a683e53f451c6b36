from __future__ import annotations

import pytest

from homelab.ci.choice import Choice
from homelab.ci.request import CiRequest
from homelab.ci.status import status
from homelab.ci.woodpecker import Woodpecker
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
