"""The log of a job, by the API or from its public page: the right one, all of it, or the page to open."""

from __future__ import annotations

from dataclasses import replace

import pytest

from homelab.ci.actions.client import Actions
from homelab.ci.failure import failures
from homelab.ci.model import Pipeline, State, Step, Workflow
from homelab.errors import NothingThere
from tests.ci.fakes import FakeForge, pipeline, status
from tests.fakes import FakeClock

REPO = "/api/v1/repos/o/r"
PAGE = "/o/r/actions/runs/1/jobs/0"
STAMP = "2026-01-02T03:04:05.1234567Z "
API = {"/repos/{o}/{r}/actions/runs": {"get": {}}, "/repos/{o}/{r}/actions/runs/{run}/jobs": {"get": {}}}


def text(*lines: str) -> str:
    return "".join(f"{STAMP}{line}\n" for line in lines)


def forge(version: str, *parameters: str, logs: bool = False, jobs: bool = False, **answers: object) -> FakeForge:
    rows = [{"name": name, "in": "query"} for name in parameters]
    paths = {"/repos/{o}/{r}/actions/jobs/{job_id}/logs": {"get": {"parameters": rows}}} if logs else {}
    paths |= API if jobs else {"/repos/{o}/{r}/actions/tasks": {"get": {}}}
    known = {REPO: {"full_name": "o/r"}, "/api/v1/version": {"version": version}, "/swagger.v1.json": {"paths": paths}}
    return FakeForge(known | answers)


FORGEJO_15, FORGEJO_16, GITEA_124 = "15.0.3+gitea-1.22.0", "16.0.1+gitea-1.22.0", "1.24.7"


def place(
    kind: str, url: str = PAGE, *, state: State = State.FAILURE, attempt: int = 1
) -> tuple[Pipeline, Workflow, Step]:
    step = Step(id=5, name="", state=state, kind=kind, url=f"https://git.example.org{url}")
    flow = Workflow(id=5000 + attempt, name="build", state=state, steps=(step,))
    return pipeline(1, state, workflows=(flow,), url="https://git.example.org/o/r/actions/runs/1"), flow, step


def actions(http: FakeForge) -> Actions:
    return Actions(http, "o/r", name="forge", clock=FakeClock())


def read(http: FakeForge, *where: object, first: int = 0) -> list[str]:
    return [line.text for line in actions(http).log(*(where or place("page")), first=first)]  # type: ignore[arg-type]


def test_a_public_page_shows_the_attempt_that_its_link_names() -> None:
    http = forge(FORGEJO_15, **{f"{PAGE}/logs": text("newest"), f"{PAGE}/attempt/2/logs": text("second")})

    assert read(http, *place("page", f"{PAGE}/attempt/2")) == ["second"]
    assert read(http) == ["newest"]


def test_where_only_attempts_have_pages_the_newest_is_shown() -> None:
    http = forge(FORGEJO_15, **{f"{PAGE}/attempt/1/logs": text("first"), f"{PAGE}/attempt/2/logs": text("second")})

    assert read(http) == ["second"]


@pytest.mark.parametrize(
    ("version", "logs", "kind", "said"),
    [
        (FORGEJO_15, False, "page", "no log API (Forgejo < 16)"),
        ("1.23.8", False, "page", "no log API (Gitea < 1.24)"),
        (GITEA_124, True, "page", "no call that tells a job's id, which its log API wants"),
        (FORGEJO_15, False, "task", "no log API (Forgejo < 16)"),
    ],
)
def test_a_log_behind_a_login_is_said_with_the_page(version: str, logs: bool, kind: str, said: str) -> None:
    with pytest.raises(NothingThere) as caught:
        read(forge(version, logs=logs), *place(kind))

    assert caught.value.what == f"forge: this server has {said}"
    assert caught.value.fix == f"open https://git.example.org{PAGE}"


def test_a_log_call_that_wants_an_id_nobody_tells_is_not_asked_by_another_number() -> None:
    http = forge(
        GITEA_124, logs=True, **{f"{REPO}/actions/jobs/5/logs": text("another job's"), f"{PAGE}/logs": text("ours")}
    )

    assert read(http) == ["ours"]


def test_a_page_of_another_host_is_not_asked() -> None:
    http = forge(FORGEJO_15)
    run, flow, step = place("page")
    elsewhere = replace(step, url="https://evil.example/o/r/actions/runs/1/jobs/0")

    with pytest.raises(NothingThere):
        list(actions(http).log(run, flow, elsewhere))
    assert not any("jobs/0" in path for path in http.asked)


def test_a_log_is_read_on_where_it_ended_and_another_attempt_from_its_begin() -> None:
    path = f"{REPO}/actions/jobs/5/logs"
    http = forge(FORGEJO_16, logs=True, jobs=True, **{path: text("one", "two")})
    ci = actions(http)

    first = [line.text for line in ci.log(*place("job", state=State.RUNNING))]
    http.answers[path] = text("one", "two", "three")
    more = [(line.number, line.text) for line in ci.log(*place("job", state=State.RUNNING), first=2)]
    nothing = list(ci.log(*place("job", state=State.RUNNING), first=3))
    http.answers[path] = text("again")
    again = [line.text for line in ci.log(*place("job", attempt=2))]

    assert (first, more, nothing, again) == (["one", "two"], [(2, "three")], [], ["again"])


def test_a_server_that_takes_an_attempt_is_asked_for_the_one_that_was_judged() -> None:
    path = f"{REPO}/actions/jobs/5/logs"
    http = forge(FORGEJO_16, "attempt", logs=True, jobs=True, **{path: text("x"), f"{path}?attempt=2": text("mine")})

    assert read(http, *place("job", attempt=2)) == ["mine"]


def test_an_expired_log_is_said_and_one_that_never_was_is_empty() -> None:
    path = f"{REPO}/actions/jobs/5/logs"
    never, expired = (
        forge(FORGEJO_16, logs=True, jobs=True, **{path: status(404, body)})
        for body in ('{"message":"job not started"}', '{"message":"logs have been cleaned up"}')
    )

    assert read(never, *place("job")) == []
    with pytest.raises(NothingThere, match="has no log of job 5 any more") as caught:
        read(expired, *place("job"))
    assert caught.value.why == "logs have been cleaned up"


def test_the_failing_step_is_found_where_one_steps_log_is_given() -> None:
    path = f"{REPO}/actions/jobs/5/logs"
    mark = "⚙️ [runner]: exitcode '{}': failure"
    steps = [text("set up"), text("error: fine", mark.format(1) + " (but continue-on-error is true)")]
    steps += [text("boom", mark.format(3)), text("cleaning")]
    http = forge(FORGEJO_16, "step", logs=True, jobs=True, **{path: "".join(steps)})
    http.answers |= {f"{path}?step={n}": one for n, one in enumerate(steps)} | {f"{path}?step=4": status(404)}

    (failure,) = failures([actions(http)], [place("job")[0]], log_lines=9)

    assert failure.excerpt == ("boom", mark.format(3))
    assert (failure.exit_code, failure.message) == (3, "")


def test_without_a_mark_in_any_step_the_whole_log_is_a_guess() -> None:
    path = f"{REPO}/actions/jobs/5/logs"
    http = forge(FORGEJO_16, "step", logs=True, jobs=True, **{path: text("a", "b", "Cleaning up container for job x")})
    http.answers |= {f"{path}?step=0": text("a", "b"), f"{path}?step=1": status(404)}

    (failure,) = failures([actions(http)], [place("job")[0]], log_lines=9)

    assert failure.excerpt == ("a", "b")
    assert "a guess" in failure.message


def test_of_several_failed_steps_the_log_names_the_culprit() -> None:
    path = f"{REPO}/actions/jobs/5/logs"
    allowed = ["  ❌  Failure - Main Lint", "exitcode '1': failure (but continue-on-error is true)"]
    http = forge("1.26.3", logs=True, jobs=True)
    http.answers[path] = text(
        *allowed, "boom", "  ❌  Failure - Main Build it", "exitcode '4': failure", "Cleaning up x"
    )

    (failure,) = failures([actions(http)], [place("job")[0]], log_lines=9)

    assert failure.title() == "build/Build it: exit 4"
