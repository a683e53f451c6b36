from __future__ import annotations

from homelab.ci.excerpt import Excerpt, excerpt
from homelab.ci.model import LogLine


def log(*texts: str) -> list[LogLine]:
    return [LogLine(number, text) for number, text in enumerate(texts)]


def test_the_last_lines_are_kept_and_the_rest_counted() -> None:
    found = excerpt(log(*(f"ok {n}" for n in range(100))), keep=3)

    assert (found.lines, found.left_out) == (("ok 97", "ok 98", "ok 99"), 97)


def test_the_first_error_is_shown_when_the_last_lines_do_not_reach_it() -> None:
    noise = [f"noise {n}" for n in range(100)]
    found = excerpt(log("+ make", "src/a.c:3: error: no semicolon", "after it", *noise, "make: *** [all]"), keep=8)

    assert found.lines == (
        "src/a.c:3: error: no semicolon",
        "after it",
        "… 95 lines left out …",
        *noise[-5:],
        "make: *** [all]",
    )
    assert found.left_out == 1


def test_no_line_is_shown_twice_where_both_parts_touch() -> None:
    lines = [f"line {n}" for n in range(9)]
    lines[1] = "ERROR one"
    found = excerpt(log(*lines), keep=8)

    assert [line for line in found.lines if "left out" not in line] == lines[1:]
    assert len(set(found.lines)) == len(found.lines)


def test_a_line_that_counts_no_errors_is_no_error() -> None:
    found = excerpt(log("0 errors, 0 failed", *(f"n {n}" for n in range(20))), keep=4)

    assert found.lines == ("n 16", "n 17", "n 18", "n 19")


def test_a_mark_ends_the_excerpt_before_the_clean_up_and_names_the_exit_code() -> None:
    found = excerpt(
        log("a", "boom", "exitcode '7': failure", "cleaning up", "done"), keep=3, mark=r"exitcode '\d+': failure"
    )

    assert (found.lines[-1], found.exit_code, found.guess) == ("exitcode '7': failure", 7, False)


def test_a_log_without_its_mark_is_a_guess() -> None:
    assert excerpt(log("a", "b"), keep=3, mark="exitcode").guess


def test_a_failure_that_was_to_be_ignored_does_not_end_the_excerpt() -> None:
    text = "exitcode '1': failure (but continue-on-error is true)"

    assert excerpt(log(text, "later", "exitcode '2': failure"), keep=9, mark="exitcode").exit_code == 2


MARK, CLEANUP = r"exitcode '\d+': failure|❌\s+Failure", r"^Cleaning up |🏁"
FAILED = "exitcode '{}': failure"


def found(*texts: str, keep: int) -> Excerpt:
    return excerpt(log(*texts), keep=keep, mark=MARK, cleanup=CLEANUP)


def test_a_step_whose_failure_is_allowed_is_not_the_culprit_though_its_name_comes_first() -> None:
    allowed = ["error: allowed", "  ❌  Failure - Main lint", FAILED.format(1) + " (but continue-on-error is true)"]
    broken = ["compiling", "boom", "  ❌  Failure - Main test", FAILED.format(2)]

    told = found("ok", *allowed, *broken, "Cleaning up x", "🏁  Job failed", keep=4)

    assert told.lines == tuple(broken)
    assert (told.exit_code, told.guess) == (2, False)


def test_without_a_mark_the_guess_ends_before_the_clean_up() -> None:
    told = found("a", "b", "Cleaning up services", "Cleaning up x", "🏁  Job failed", keep=2)

    assert (told.lines, told.guess, told.left_out) == (("a", "b"), True, 0)


def test_a_mark_after_clean_up_began_is_a_failed_post_step() -> None:
    told = found("a", "Cleaning up x", "post broke", FAILED.format(4), keep=2)

    assert (told.lines, told.exit_code, told.guess) == (("post broke", FAILED.format(4)), 4, False)
