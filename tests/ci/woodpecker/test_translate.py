from __future__ import annotations

from homelab.ci.model import LogLine, State
from homelab.ci.woodpecker import translate
from tests.ci.fakes import raw_pipeline


def read(**fields: object) -> translate.Pipeline:
    return translate.pipeline(raw_pipeline(12) | fields, web="https://ci.example.org/repos/7", server="home")


def test_a_pipeline_of_2x_is_read_by_its_old_names() -> None:
    old = raw_pipeline(3)
    for name in ("created", "updated", "started", "finished"):
        old[f"{name}_at"] = old.pop(name)
    for child in old["workflows"][0]["children"]:
        child["start_time"], child["end_time"] = child.pop("started"), child.pop("finished")

    run = translate.pipeline(old, web="https://ci.example.org/repos/7", server="home")

    assert (run.created, run.started, run.finished) == (1_700_000_000, 1_700_000_001, 1_700_000_073)
    assert (run.workflows[0].steps[1].started, run.workflows[0].steps[1].finished) == (110, 120)


def test_a_state_from_the_future_is_unknown_and_keeps_its_word() -> None:
    run = read(status="quarantined")

    assert (run.state, run.said) == (State.UNKNOWN, "quarantined")


def test_the_clone_step_is_not_counted_as_the_authors() -> None:
    assert read().steps == 1


def test_warnings_are_no_errors() -> None:
    errors = [{"message": "old syntax", "is_warning": True}, {"message": "bad yaml", "is_warning": False}]

    assert read(errors=errors).errors == ("bad yaml",)


def test_nothing_optional_is_demanded() -> None:
    run = translate.pipeline({"number": 4, "status": "running"}, web="https://ci.example.org/repos/7", server="home")

    assert (run.number, run.state, run.errors, run.workflows) == (4, State.RUNNING, (), ())


def test_who_cancelled_and_what_replaced_it_are_read() -> None:
    run = read(cancel_info={"canceled_by_user": "bob", "superseded_by": 15, "canceled_by_step": "test"})

    assert (run.cancelled_by, run.superseded_by, run.killed_by_step) == ("bob", 15, "test")


def test_a_log_line_survives_bad_base64_bad_utf8_null_and_its_newline() -> None:
    assert LogLine(0, "hi") == translate.log_line({"line": 0, "data": "aGkK"})
    assert LogLine(1, "") == translate.log_line({"line": 1, "data": None})
    assert "�" in translate.log_line({"line": 2, "data": "/w=="}).text
    assert LogLine(3, "plain") == translate.log_line({"line": 3, "data": "plain"})
