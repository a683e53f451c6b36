from __future__ import annotations

from homelab.ci.failure import failing_steps, failures
from homelab.ci.model import State as S
from homelab.ci.woodpecker import Woodpecker
from tests.ci.fakes import FakeWoodpecker, log, pipeline, step, workflow


def test_steps_killed_before_they_began_did_not_fail_anything() -> None:
    stopped = workflow("x", S.KILLED, step("a", S.KILLED, started=0), step("b", S.KILLED, started=7))

    assert ["b"] == [one.name for one in failing_steps(stopped)]


def test_an_ignored_failure_in_a_green_workflow_is_no_failing_step() -> None:
    assert () == failing_steps(workflow("build", S.SUCCESS, step("flaky", S.FAILURE, 1)))


def test_the_excerpt_is_the_end_of_the_first_failing_step_of_each_failed_workflow(
    ci: Woodpecker, server: FakeWoodpecker
) -> None:
    server.logs = {5: log(*(f"line {n}" for n in range(100))), 6: log("cleaned up"), 8: log("boom")}
    run = pipeline(
        state=S.FAILURE,
        workflows=(
            workflow("a", S.FAILURE, step("test", S.FAILURE, 3, id=5), step("after", S.FAILURE, 1, id=6)),
            workflow("b", S.FAILURE, step("lint", S.FAILURE, 2, id=8)),
        ),
    )

    first, after, lint = failures(ci, [run], log_lines=2)

    assert ("a", "test", 3, ("line 98", "line 99"), 98) == (
        first.workflow,
        first.step,
        first.exit_code,
        first.excerpt,
        first.left_out,
    )
    assert () == after.excerpt
    assert ("boom",) == lint.excerpt


def test_log_lines_cannot_steer_a_terminal(ci: Woodpecker, server: FakeWoodpecker) -> None:
    server.logs = {5: log("\x1b]0;owned\x07\x1b[31mred\x1b[0m", "10%\r100%")}
    run = pipeline(state=S.FAILURE, workflows=(workflow("a", S.FAILURE, step("t", S.FAILURE, 1, id=5)),))

    assert ("red", "100%") == failures(ci, [run], log_lines=40)[0].excerpt


def test_a_workflow_that_failed_without_a_step_speaks_by_its_own_error(ci: Woodpecker) -> None:
    run = pipeline(state=S.ERROR, workflows=(workflow("a", S.ERROR, error="no such image"),))

    assert ["a: error, no such image"] == [failure.title() for failure in failures(ci, [run], log_lines=40)]


def test_an_error_without_workflows_speaks_by_the_servers_complaints(ci: Woodpecker) -> None:
    run = pipeline(state=S.ERROR, workflows=(), errors=("yaml: line 3: bad",))

    assert ["#12: error, yaml: line 3: bad"] == [failure.title() for failure in failures(ci, [run], log_lines=40)]


def test_a_log_that_cannot_be_read_changes_no_verdict(ci: Woodpecker, server: FakeWoodpecker) -> None:
    def refuse(path: str) -> None:
        if "/logs/" in path:
            from tests.ci.fakes import status

            raise status(500)

    server.before = refuse
    run = pipeline(state=S.FAILURE, workflows=(workflow("a", S.FAILURE, step("t", S.FAILURE, 1, id=5)),))

    assert ("(its log cannot be read: Woodpecker answered 500)",) == failures(ci, [run], log_lines=40)[0].excerpt
