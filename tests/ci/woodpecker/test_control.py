"""Writes that are sent once: what an unanswered one may have made is looked for, never made again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from homelab.ci.woodpecker.client import Woodpecker
from homelab.errors import HttpStatus, TokenRejected, Unreachable
from homelab.http.port import Answer, Params
from tests.ci.fakes import FakeWoodpecker, pipeline, raw_pipeline, status

Effect = Callable[[FakeWoodpecker], object]


def cut(server: FakeWoodpecker, effect: Effect, error: Exception) -> list[str]:
    """Let every write have this effect, and then end in this error; return what was sent."""
    sent: list[str] = []

    def send(
        method: str, path: str, *, json: Any = None, params: Params | None = None, safe_to_repeat: bool = False
    ) -> Answer:
        sent.append(path)
        effect(server)
        raise error

    server.send = send  # type: ignore[method-assign]
    return sent


LOST = Unreachable("the connection was cut", why="-", fix="-")


@pytest.mark.parametrize("error", [LOST, status(500)])
def test_a_restart_whose_answer_was_lost_is_found_by_its_parent(
    ci: Woodpecker, server: FakeWoodpecker, error: Exception
) -> None:
    server.add(raw_pipeline(12, "failure"))
    sent = cut(server, lambda s: s.add(raw_pipeline(13, "pending", parent=9), raw_pipeline(14, parent=12)), error)

    made = ci.restart(pipeline(12))

    assert made is not None
    assert (made.number, len(sent)) == (14, 1)


def test_a_restart_that_made_nothing_fails_as_it_failed(ci: Woodpecker, server: FakeWoodpecker) -> None:
    server.add(raw_pipeline(11, parent=12), raw_pipeline(12, "failure"))
    sent = cut(server, lambda _: None, LOST)

    with pytest.raises(Unreachable, match="cut"):
        ci.restart(pipeline(12))
    assert len(sent) == 1


def test_a_trigger_whose_answer_was_lost_is_found_when_it_is_ours(ci: Woodpecker, server: FakeWoodpecker) -> None:
    theirs = raw_pipeline(13, "pending", event="manual", author="bob")
    ours = raw_pipeline(14, "pending", event="manual", author="ann")
    cut(server, lambda s: s.add(ours, theirs), LOST)

    made = ci.trigger("main", {})

    assert made is not None
    assert made.number == 14


def test_a_trigger_of_somebody_else_is_not_taken_for_ours(ci: Woodpecker, server: FakeWoodpecker) -> None:
    cut(server, lambda s: s.add(raw_pipeline(13, "pending", event="manual", author="bob")), LOST)

    with pytest.raises(Unreachable):
        ci.trigger("main", {})


def test_a_refusal_made_nothing_and_is_raised(ci: Woodpecker, server: FakeWoodpecker) -> None:
    server.add(raw_pipeline(12, "blocked"))
    cut(server, lambda s: s.add(raw_pipeline(13, parent=12)), status(400))

    with pytest.raises(HttpStatus):
        ci.restart(pipeline(12))


def test_a_token_revoked_meanwhile_is_said_to_be_the_trouble(ci: Woodpecker, server: FakeWoodpecker) -> None:
    server.add(raw_pipeline(12))
    ci.facts()
    # A guest sees nothing of a private repository.
    server.user, server.repo = None, None

    with pytest.raises(TokenRejected, match="does not accept the token"):
        ci.run(12)


def test_a_filter_that_the_server_does_not_know_yet_is_applied_here(ci: Woodpecker, server: FakeWoodpecker) -> None:
    server.add(raw_pipeline(1, event="pull_request_metadata"), raw_pipeline(2))
    below = server._below

    def strict(rest: list[str], params: Params) -> Any:
        if params.get("event") == "pull_request_metadata":
            raise status(400)
        return below(rest, params)

    server._below = strict  # type: ignore[method-assign, assignment]

    assert [run.number for run in ci.recent(5, event="pull_request_metadata")] == [1]
