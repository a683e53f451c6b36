from __future__ import annotations

import pytest

from homelab.doctor.model import Finding, Grade, diagnosis, fail, ok, skip, warn
from homelab.errors import (
    GitFailed,
    HomelabError,
    NothingThere,
    PersonNeeded,
    TokenRejected,
    Unreachable,
    UsageError,
)
from homelab.outcome import Outcome


def _failing(error: type[HomelabError]) -> Finding:
    return fail("x", error("what", why="why", fix="fix"))


@pytest.mark.parametrize(
    ("error", "code"),
    [(UsageError, 2), (GitFailed, 2), (TokenRejected, 4), (Unreachable, 5), (PersonNeeded, 6), (NothingThere, 7)],
)
def test_the_code_is_that_of_the_first_failing_check(error: type[HomelabError], code: int) -> None:
    found = (ok("a", "fine"), warn("b", "odd", why="w", fix="f"), _failing(error), _failing(PersonNeeded))
    assert diagnosis(found).outcome == code


def test_warnings_and_skips_alone_are_done() -> None:
    answer = diagnosis((ok("a", "fine"), warn("b", "odd", why="w", fix="f"), skip("c", "none")))
    assert (answer.outcome, answer.headline) == (Outcome.DONE, "1 ok, 1 warn, 1 skip")


def test_a_reader_sees_grade_name_sentence_and_for_what_is_not_well_why_and_fix() -> None:
    assert diagnosis((ok("git", "2.50"), _failing(Unreachable), skip("vault", "none"))).lines() == [
        "ok    git    2.50",
        "fail  x      what",
        "      why: why",
        "      fix: fix",
        "skip  vault  none",
    ]


def test_only_a_failing_check_has_a_code_in_the_record() -> None:
    good, bad = diagnosis((ok("a", "fine"), _failing(TokenRejected))).record()["checks"]
    assert "exit_code" not in good
    assert (bad["grade"], bad["exit_code"], bad["outcome"]) == (Grade.FAIL, 4, "credentials")


def test_doctor_does_not_send_a_reader_to_doctor() -> None:
    finding = fail("ci.lab", Unreachable("nobody answers", why="nothing listens on 127.0.0.1:9", fix="homelab doctor"))
    assert finding.fix.startswith("homelab config show")
