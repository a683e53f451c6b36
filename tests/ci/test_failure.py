from __future__ import annotations

from dataclasses import replace

from homelab.ci.failure import failing_steps, failures
from homelab.ci.model import State
from homelab.ci.woodpecker.client import Woodpecker
from tests.ci.fakes import FakeWoodpecker, log, pipeline, step, workflow
from tests.ci.runs import FakeRuns
from tests.fakes import FakeClock


def test_steps_killed_before_they_began_did_not_fail_anything() -> None:
    stopped = workflow("x", State.KILLED, step("a", State.KILLED, started=0), step("b", State.KILLED, started=7))

    assert [one.name for one in failing_steps(stopped)] == ["b"]


def test_an_ignored_failure_in_a_green_workflow_is_no_failing_step() -> None:
    assert failing_steps(workflow("build", State.SUCCESS, step("flaky", State.FAILURE, 1))) == ()


def test_the_excerpt_is_the_end_of_the_first_failing_step_of_each_failed_workflow(
    ci: Woodpecker, server: FakeWoodpecker
) -> None:
    server.logs = {5: log(*(f"line {n}" for n in range(100))), 6: log("cleaned up"), 8: log("boom")}
    run = pipeline(
        state=State.FAILURE,
        workflows=(
            workflow("a", State.FAILURE, step("test", State.FAILURE, 3, id=5), step("after", State.FAILURE, 1, id=6)),
            workflow("b", State.FAILURE, step("lint", State.FAILURE, 2, id=8)),
        ),
    )

    first, after, lint = failures([ci], [run], log_lines=2)

    assert (
        first.workflow,
        first.step,
        first.exit_code,
        first.excerpt,
        first.left_out,
    ) == ("a", "test", 3, ("line 98", "line 99"), 98)
    assert after.excerpt == ()
    assert lint.excerpt == ("boom",)


def test_log_lines_cannot_steer_a_terminal(ci: Woodpecker, server: FakeWoodpecker) -> None:
    server.logs = {5: log("\x1b]0;owned\x07\x1b[31mred\x1b[0m", "10%\r100%")}
    run = pipeline(state=State.FAILURE, workflows=(workflow("a", State.FAILURE, step("t", State.FAILURE, 1, id=5)),))

    assert failures([ci], [run], log_lines=40)[0].excerpt == ("red", "100%")


def test_a_workflow_that_failed_without_a_step_speaks_by_its_own_error(ci: Woodpecker) -> None:
    run = pipeline(state=State.ERROR, workflows=(workflow("a", State.ERROR, error="no such image"),))

    assert [failure.title() for failure in failures([ci], [run], log_lines=40)] == ["a: error, no such image"]


def test_an_error_without_workflows_speaks_by_the_servers_complaints(ci: Woodpecker) -> None:
    run = pipeline(state=State.ERROR, workflows=(), errors=("yaml: line 3: bad",))

    assert [failure.title() for failure in failures([ci], [run], log_lines=40)] == ["#12: error, yaml: line 3: bad"]


def test_a_log_that_cannot_be_read_changes_no_verdict(ci: Woodpecker, server: FakeWoodpecker) -> None:
    def refuse(path: str) -> None:
        if "/logs/" in path:
            from tests.ci.fakes import status

            raise status(500)

    server.before = refuse
    run = pipeline(state=State.FAILURE, workflows=(workflow("a", State.FAILURE, step("t", State.FAILURE, 1, id=5)),))

    assert failures([ci], [run], log_lines=40)[0].excerpt == ("(its log cannot be read: Woodpecker answered 500)",)


def test_lines_that_come_after_the_end_are_in_the_excerpt(clock: FakeClock) -> None:
    ci = FakeRuns()
    ci.before = lambda _question: ci.logs.__setitem__(5, ["+ make"] if clock.elapsed < 0.3 else ["+ make", "boom"])
    failing = step("test", State.FAILURE, 3, id=5, finished=int(clock.now()))
    run = pipeline(state=State.FAILURE, workflows=(workflow("a", State.FAILURE, failing),))

    (late,) = failures([ci], [run], log_lines=5, clock=clock)
    (old,) = failures([ci], [replace(run, finished=1)], log_lines=5)

    assert late.excerpt == old.excerpt == ("+ make", "boom")
    assert clock.elapsed < 2.5
