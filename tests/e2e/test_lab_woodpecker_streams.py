"""The lab's CI server listened to: event streams and log streams, whole and broken."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from tests.lab.woodpecker.lab import GREEN, SLOW, World, states, world


@pytest.fixture
def ci(tmp_path: Path) -> Iterator[World]:
    with world(tmp_path, ping_every=0.2) as made:
        yield made


def message(lines: Iterator[str]) -> Any:
    """Return the next message, passing comments by."""
    line = next(line for line in lines if not line.startswith(":"))
    assert line.startswith("data: "), line
    return json.loads(line.removeprefix("data: "))


def until(lines: Iterator[str], status: str) -> list[str]:
    """Return the statuses of the messages up to the first with this one."""
    seen: list[str] = []
    while not seen or seen[-1] != status:
        seen.append(message(lines)["pipeline"]["status"])
    return seen


def log_path(ci: World, step: str, number: int = 1) -> str:
    return f"/api/stream/logs/1/{number}/{ci.step(number, step)['id']}"


def decoded(lines: list[str]) -> list[str]:
    found = [json.loads(line.removeprefix("data: ")) for line in lines if line.startswith("data: {")]
    return [base64.b64decode(one["data"] or "").decode() for one in found]


def hold(ci: World, folder: Path, *, lines: int = 1, after: str = "") -> Path:
    """Push a step that prints and then waits for the returned file to appear."""
    gate = folder / "gate"
    commands = f"['seq {lines}', 'until [ -e {gate} ]; do sleep 0.02; done', 'echo released']"
    ci.push({".woodpecker.yaml": f"steps:\n  - {{name: a, image: x, commands: {commands}}}\n{after}"})
    ci.until(lambda: str(lines) in ci.log(1, "a"))
    return gate


def test_a_stream_begins_with_a_comment_and_pings_in_silence(ci: World) -> None:
    with ci.stream("/api/stream/events") as lines:
        assert list(islice(lines, 3)) == [": ping"] * 3


def test_events_are_unnamed_and_carry_repository_and_pipeline(ci: World) -> None:
    with ci.stream("/api/stream/events") as lines:
        next(lines)
        ci.push({".woodpecker.yaml": GREEN})
        seen = [message(lines)]
        while seen[-1]["pipeline"]["status"] != "success":
            seen.append(message(lines))
    assert {one["repo"]["full_name"] for one in seen} == {"lab/shop"}
    order = [one["pipeline"]["status"] for one in seen]
    assert order == sorted(order, key=["created", "pending", "running", "success"].index)
    assert {"pending", "running", "success"} <= set(order)


def test_each_change_of_a_step_is_an_event(ci: World) -> None:
    with ci.stream("/api/stream/events") as lines:
        ci.push({".woodpecker.yaml": GREEN})
        seen, last = [], ""
        while last != "success":
            made = message(lines)["pipeline"]
            last = made["status"]
            seen.append(states(made).get("build"))
    assert list(dict.fromkeys(seen)) == ["pending", "running", "success"]


def test_nothing_is_said_of_a_filtered_pipeline(ci: World) -> None:
    with ci.stream("/api/stream/events") as lines:
        ci.push({"a": "b"})
        ci.push({".woodpecker.yaml": GREEN})
        assert message(lines)["pipeline"]["changed_files"] == [".woodpecker.yaml"]


def test_a_guest_hears_of_public_repositories_only(tmp_path: Path) -> None:
    with world(tmp_path, visibility="public") as ci, ci.stream("/api/stream/events", token="bad") as lines:
        ci.push({".woodpecker.yaml": GREEN})
        assert message(lines)["pipeline"]["number"] == 1


def test_a_guest_and_a_stranger_hear_nothing_of_a_private_repository(ci: World) -> None:
    with (
        ci.stream("/api/stream/events", token=None) as guest,
        ci.stream("/api/stream/events", token="stranger") as stranger,
        ci.stream("/api/stream/events", token="reader") as reader,
    ):
        ci.push({".woodpecker.yaml": GREEN})
        until(reader, "success")
        assert set(islice(guest, 3)) == set(islice(stranger, 3)) == {": ping"}


def test_a_log_stream_tells_from_the_beginning_and_goes_on(ci: World, tmp_path: Path) -> None:
    gate = hold(ci, tmp_path)
    with ci.stream(log_path(ci, "a")) as lines:
        first = list(islice(lines, 5))
        assert first[:2] == [": ping", "id: 1"]
        assert decoded(first) == ["+ seq 1", "1"]
        gate.touch()
        rest = [line for line in lines if line != ": ping"]
    assert rest[-2:] == ["event: eof", "data: eof"]
    assert decoded(rest)[-1] == "released"


def test_last_event_id_skips_what_was_seen(ci: World, tmp_path: Path) -> None:
    gate = hold(ci, tmp_path, lines=5)
    gate_opened = []
    with ci.stream(log_path(ci, "a"), **{"Last-Event-ID": "3"}) as lines:
        gate.touch()
        gate_opened = list(lines)
    assert gate_opened[1] == "id: 4"
    assert decoded(gate_opened)[0] == "3"


def test_eof_comes_with_the_workflow_not_with_the_step(ci: World, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    ci.push(
        {
            ".woodpecker.yaml": "steps:\n  - {name: a, image: x, commands: [echo one, sleep 0.3]}\n"
            f"  - {{name: b, image: x, commands: ['until [ -e {gate} ]; do sleep 0.02; done']}}\n"
        }
    )
    ci.until(lambda: ci.step(1, "a")["state"] == "running")
    with ci.stream(log_path(ci, "a")) as lines:
        ci.until(lambda: ci.step(1, "a")["state"] == "success")
        assert "event: eof" not in list(islice(lines, 6))
        gate.touch()
        assert list(lines)[-2:] == ["event: eof", "data: eof"]


def test_a_step_that_is_skipped_while_one_waits_never_ends(ci: World, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    ci.push(
        {
            ".woodpecker.yaml": "steps:\n"
            f"  - {{name: a, image: x, commands: ['until [ -e {gate} ]; do sleep 0.02; done', exit 1]}}\n"
            "  - {name: b, image: x, commands: [echo]}\n"
        }
    )
    with ci.stream(log_path(ci, "b")) as lines:
        gate.touch()
        assert ci.wait(1)["status"] == "failure"
        assert list(islice(lines, 4)) == [": ping"] * 4


def test_a_pending_step_of_a_cancelled_pipeline_never_ends(ci: World) -> None:
    ci.call("/api/queue/pause", method="POST", token="admin")
    ci.push({".woodpecker.yaml": GREEN})
    with ci.stream(log_path(ci, "build")) as lines:
        ci.call("/api/repos/1/pipelines/1/cancel", method="POST")
        assert ci.pipeline(1)["status"] == "canceled"
        assert list(islice(lines, 4)) == [": ping"] * 4


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/api/stream/logs/1/x/1", "pipeline number invalid"),
        ("/api/stream/logs/1/9/1", "pipeline not found"),
        ("/api/stream/logs/1/1/x", "step id invalid"),
        ("/api/stream/logs/1/1/999", "process not found"),
        ("/api/stream/logs/1/1/{step}", "step not running (anymore)"),
    ],
)
def test_what_cannot_be_streamed_is_said_in_the_stream(ci: World, path: str, said: str) -> None:
    ci.push({".woodpecker.yaml": GREEN})
    ci.wait(1)
    with ci.stream(path.format(step=ci.step(1, "build")["id"])) as lines:
        assert list(lines) == [": ping", "event: error", f"data: {said}"]


def test_a_blocked_step_cannot_be_streamed(tmp_path: Path) -> None:
    with world(tmp_path, require_approval="all_events") as ci:
        ci.push({".woodpecker.yaml": GREEN})
        with ci.stream(log_path(ci, "build")) as lines:
            assert list(lines)[-1] == "data: step not running (anymore)"


def test_a_repository_one_may_not_read_is_refused_before_the_stream(ci: World) -> None:
    assert ci.call("/api/stream/logs/1/1/1", token="stranger").status == 404
    assert ci.call("/api/stream/logs/1/1/1", token=None).status == 401
    assert ci.call("/api/stream/logs/x/1/1").status == 400


def test_a_hundred_thousand_lines_come_once_and_in_order(ci: World) -> None:
    ci.push({".woodpecker.yaml": "steps:\n  - {name: a, image: x, commands: [seq 100000]}\n"})
    assert ci.wait(1)["status"] == "success"
    assert ci.log(1, "a") == ["+ seq 100000", *map(str, range(1, 100001))]


def test_a_hundred_thousand_lines_are_streamed_once_and_in_order(ci: World, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    commands = f"['until [ -e {gate} ]; do sleep 0.02; done', 'seq 100000']"
    ci.push({".woodpecker.yaml": f"steps:\n  - {{name: a, image: x, commands: {commands}}}\n"})
    with ci.stream(log_path(ci, "a")) as lines:
        gate.touch()
        streamed = decoded(list(lines))
    assert streamed[-100000:] == [str(number) for number in range(1, 100001)]


def test_lines_lost_at_eof_are_there_at_rest(ci: World, tmp_path: Path) -> None:
    ci.faults(drop_at_eof=3)
    gate = hold(ci, tmp_path, lines=5)
    with ci.stream(log_path(ci, "a")) as lines:
        gate.touch()
        streamed = list(lines)
    assert streamed[-1] == "data: eof"
    full = ci.log(1, "a")
    assert decoded(streamed) == full[:-3]


def test_the_end_is_spelled_as_before_3_12(ci: World, tmp_path: Path) -> None:
    ci.faults(old_eof=True)
    gate = hold(ci, tmp_path)
    with ci.stream(log_path(ci, "a")) as lines:
        gate.touch()
        assert list(lines)[-2:] == ["event: error", "data: eof"]


def test_a_stream_may_close_without_a_word(ci: World, tmp_path: Path) -> None:
    ci.faults(no_eof=True)
    gate = hold(ci, tmp_path)
    with ci.stream(log_path(ci, "a")) as lines:
        gate.touch()
        assert "data: eof" not in list(lines)


def test_muted_events_leave_the_pings(ci: World) -> None:
    ci.faults(mute="events")
    with ci.stream("/api/stream/events") as lines:
        ci.push({".woodpecker.yaml": GREEN})
        ci.wait(1)
        assert set(islice(lines, 4)) == {": ping"}


def test_a_buffering_proxy_gives_not_a_byte(ci: World) -> None:
    ci.faults(mute="bytes")
    with ci.stream("/api/stream/events") as lines:
        ci.push({".woodpecker.yaml": GREEN})
        ci.wait(1)
        ci.faults(mute="")
        assert next(lines) == ": ping"


def test_events_come_out_of_order(ci: World) -> None:
    ci.faults(reorder=True)
    with ci.stream("/api/stream/events") as lines:
        ci.push({".woodpecker.yaml": GREEN})
        assert [message(lines)["pipeline"]["status"] for _ in range(2)] == ["pending", "created"]


def test_events_come_late(ci: World) -> None:
    ci.faults(delay=0.5)
    with ci.stream("/api/stream/events") as lines:
        ci.push({".woodpecker.yaml": GREEN})
        assert ci.wait(1)["status"] == "success"
        assert message(lines)["pipeline"]["status"] in {"created", "pending"}


def test_streams_end_when_the_server_restarts(ci: World) -> None:
    with ci.stream("/api/stream/events") as lines:
        assert next(lines) == ": ping"
        ci.restart()
        assert "event: eof" not in list(lines)


def test_a_restarted_server_runs_what_was_running_again_under_its_number(ci: World, tmp_path: Path) -> None:
    gate = hold(ci, tmp_path)
    before = ci.pipeline(1)
    ci.restart()
    gate.touch()
    after = ci.wait(1)
    assert (after["status"], after["number"], after["id"]) == ("success", 1, before["id"])
    assert ci.log(1, "a") == [
        "+ seq 1",
        "1",
        f"+ until [ -e {gate} ]; do sleep 0.02; done",
        "+ echo released",
        "released",
    ]
    ci.push({".woodpecker.yaml": GREEN})
    assert ci.wait(2)["number"] == 2


def test_a_slow_step_is_killed_when_the_server_stops(ci: World, tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    ci.push({".woodpecker.yaml": SLOW.replace("echo begun", f"echo $$ > {pid}")})
    ci.until(lambda: pid.exists() and pid.read_text().strip())
    ci.restart(capacity=0)
    ci.until(lambda: not Path(f"/proc/{pid.read_text().strip()}").exists())
    assert ci.pipeline(1)["status"] == "running"


def test_a_client_that_leaves_leaves_no_traceback_in_the_servers_log(
    ci: World, tmp_path: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    gate = hold(ci, tmp_path)
    for path in ("/api/stream/events", log_path(ci, "a")):
        with ci.stream(path) as lines:
            next(lines)
    gate.touch()  # what comes now is written to nobody
    ci.until(lambda: ci.pipeline(1)["status"] == "success")
    ci.push({".woodpecker.yaml": GREEN})
    ci.until(lambda: ci.pipeline(2)["status"] == "success")
    said = [record.getMessage() for record in caplog.records if record.levelname in {"WARNING", "ERROR"}]
    assert said == []
    assert "Traceback" not in capfd.readouterr().err
