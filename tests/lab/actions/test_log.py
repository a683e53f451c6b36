from __future__ import annotations

import re
from pathlib import Path

import pytest

from homelab.lab.actions.log import MAX_LINE, JobLog
from homelab.lab.actions.words import Kind, Status


def written(folder: Path, *lines: bytes, secrets: tuple[str, ...] = ()) -> list[bytes]:
    log = JobLog(folder / "log", Kind.GITEA, list(secrets))
    log.write(list(lines))
    log.close()
    return [line.partition(b" ")[2] for line in (folder / "log").read_bytes().splitlines()]


def test_lines_are_stamped_with_seven_digits_in_utc(tmp_path: Path) -> None:
    written(tmp_path, b"x")
    assert re.fullmatch(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{7}Z x\n", (tmp_path / "log").read_bytes())


def test_groups_are_renamed_debug_is_dropped_and_the_rest_is_left(tmp_path: Path) -> None:
    lines = (b"::group::Build", b"::endgroup::", b"::debug::x", b"::error file=a::b", b"::warning::c", b"d\r")
    assert written(tmp_path, *lines) == [
        b"##[group]Build",
        b"##[endgroup]",
        b"::error file=a::b",
        b"::warning::c",
        b"d",
    ]


def test_secrets_are_masked_also_those_a_step_adds(tmp_path: Path) -> None:
    lines = (b"a hush b", b"::add-mask::later", b"it is later")
    assert written(tmp_path, *lines, secrets=("hush", "no")) == [b"a *** b", b"it is ***"]


def test_a_line_is_cut(tmp_path: Path) -> None:
    assert [len(line) for line in written(tmp_path, b"x" * (MAX_LINE + 9))] == [MAX_LINE]


@pytest.mark.parametrize(
    ("kind", "status", "ignored", "why", "expected"),
    [
        (Kind.GITEA, Status.SUCCESS, False, "", []),
        (Kind.GITEA, Status.FAILURE, False, "", ["  ❌  Failure - Main make", "exitcode '3': failure"]),
        (Kind.FORGEJO, Status.FAILURE, False, "", ["⚙️ [runner]: exitcode '3': failure"]),
        (
            Kind.FORGEJO,
            Status.FAILURE,
            True,
            "",
            ["⚙️ [runner]: exitcode '3': failure (but continue-on-error is true)"],
        ),
        (Kind.FORGEJO, Status.CANCELLED, False, "context canceled", ["⚙️ [runner]: context canceled"]),
    ],
)
def test_only_a_step_that_failed_leaves_a_mark(
    tmp_path: Path, kind: Kind, status: Status, *, ignored: bool, why: str, expected: list[str]
) -> None:
    log = JobLog(tmp_path / "log", kind, [])
    log.step_ended("make", status, 3, ignored=ignored, why=why)
    log.close()
    assert expected == [line.partition(" ")[2] for line in (tmp_path / "log").read_text().splitlines()]


def test_clean_up_stands_between_the_failure_and_the_end(tmp_path: Path) -> None:
    log = JobLog(tmp_path / "log", Kind.FORGEJO, [])
    log.job_ended("build", Status.FAILURE)
    log.close()
    assert [line.partition(" ")[2] for line in (tmp_path / "log").read_text().splitlines()] == [
        "Cleaning up services for job build",
        "Cleaning up container for job build",
        "🏁  Job failed",
    ]
