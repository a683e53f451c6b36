from __future__ import annotations

from pathlib import Path

import pytest

from homelab.outcome import Outcome
from homelab.trust.review import listed, review, revoke
from tests.trust.fakes import app, repository

KEY = "git.example.org/team/app"


def _file(command: str) -> str:
    return f"[work]\nverify = '{command}'\n"


def test_without_a_command_there_is_nothing_to_approve(tmp_path: Path) -> None:
    for text in (None, "[work]\ntarget = 'main'"):
        answer = review(app(tmp_path, repository(tmp_path, text)), yes=False)
        assert (answer.outcome, answer.lines()) == (Outcome.DONE, [])


def test_nobody_there_shows_the_command_and_needs_a_person(tmp_path: Path) -> None:
    here = app(tmp_path, repository(tmp_path, _file("make check")))
    answer = review(here, yes=False)
    assert answer.outcome is Outcome.PERSON
    assert answer.lines() == [f"{KEY} wants to run:", "  make check"]
    assert "homelab trust --yes" in answer.headline
    assert here.trust.all() == ()


def test_yes_approves_exactly_the_text_it_shows(tmp_path: Path) -> None:
    here = app(tmp_path, repository(tmp_path, _file("make check")))
    answer = review(here, yes=True)
    assert answer.lines() == [f"{KEY} wants to run:", "  make check"]
    assert here.trust.approved(KEY, "make check")
    assert answer.record()["commands"] == [{"key": "work.verify", "command": "make check", "approved": True}]


def test_an_approved_command_is_not_asked_about_again_and_a_changed_one_is(tmp_path: Path) -> None:
    root = repository(tmp_path, _file("make check"))
    review(app(tmp_path, root), yes=True)
    assert review(app(tmp_path, root), yes=False).outcome is Outcome.DONE
    repository(tmp_path, _file("make other"))
    answer = review(app(tmp_path, root), yes=False)
    assert answer.outcome is Outcome.PERSON
    assert answer.lines()[1:] == ["- make check", "+ make other"]


@pytest.mark.parametrize(("typed", "outcome"), [("y\n", Outcome.DONE), ("n\n", Outcome.PERSON)])
def test_the_person_at_the_terminal_decides(tmp_path: Path, typed: str, outcome: Outcome) -> None:
    here = app(tmp_path, repository(tmp_path, _file("make check")), typed=typed)
    assert review(here, yes=False).outcome is outcome
    assert here.trust.approved(KEY, "make check") is (outcome is Outcome.DONE)


def test_the_list_names_repository_time_and_every_line(tmp_path: Path) -> None:
    here = app(tmp_path, repository(tmp_path))
    here.trust.approve(KEY, "make\ntest", now=0.0)
    assert listed(here).lines() == [f"1970-01-01T00:00:00Z  {KEY}  make", "    test"]
    assert listed(here).record()["approvals"][0]["command"] == "make\ntest"


def test_revoking_makes_the_command_ask_again(tmp_path: Path) -> None:
    root = repository(tmp_path, _file("make check"))
    review(app(tmp_path, root), yes=True)
    assert revoke(app(tmp_path, root), None).headline == f"revoked 1 of {KEY}"
    assert review(app(tmp_path, root), yes=False).outcome is Outcome.PERSON
    assert revoke(app(tmp_path, root), "other").headline == "nothing approved for other"
