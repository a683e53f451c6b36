"""The lab's runners' one process: its group, its output, its end."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path

import pytest

from homelab.lab.woodpecker import shell

ENVIRONMENT = {"PATH": os.environ["PATH"]}


def run(script: str, folder: Path, *, kill_after: float | None = None) -> tuple[int, list[bytes]]:
    lines: list[bytes] = []

    async def finished() -> int:
        process = await shell.start(["/bin/sh", "-c", script], cwd=folder, env=ENVIRONMENT)
        if kill_after is not None:
            asyncio.get_running_loop().call_later(kill_after, process.signal, signal.SIGTERM)
        return await process.finish(lines.extend)

    return asyncio.run(finished()), lines


@pytest.mark.parametrize(("script", "code"), [("exit 0", 0), ("exit 3", 3), ("kill -9 $$", 137), ("kill -15 $$", 143)])
def test_the_exit_code_is_the_commands_and_a_signal_is_128_more(script: str, code: int, tmp_path: Path) -> None:
    assert run(script, tmp_path) == (code, [])


def test_both_streams_come_as_lines_in_order_the_last_without_its_end_too(tmp_path: Path) -> None:
    assert run("echo a; echo b >&2; printf c", tmp_path) == (0, [b"a", b"b", b"c"])


def test_a_signal_reaches_the_whole_group(tmp_path: Path) -> None:
    code, lines = run("sleep 30 & trap 'echo bye; exit 5' TERM; wait", tmp_path, kill_after=0.3)
    assert (code, lines) == (5, [b"bye"])


def test_a_command_that_waits_for_its_children_waits_for_its_own_alone(tmp_path: Path) -> None:
    assert run("true & wait; echo done", tmp_path) == (0, [b"done"])


def test_output_held_open_by_one_that_left_the_group_is_given_up(tmp_path: Path) -> None:
    code, lines = run("setsid sleep 3 & echo here", tmp_path)
    assert (code, lines) == (0, [b"here"])


def test_a_program_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        asyncio.run(shell.start(["no-such-program"], cwd=tmp_path, env=ENVIRONMENT))


def test_no_descriptor_of_the_server_reaches_the_command(tmp_path: Path) -> None:
    code, lines = run("readlink /dev/fd/0; ls /dev/fd/ | sort -n", tmp_path)
    assert code == 0
    assert lines[0] == b"/dev/null"
    assert set(lines[1:]) <= {b"0", b"1", b"2", b"3"}


def test_a_script_shows_each_command_and_stops_at_the_first_that_fails(tmp_path: Path) -> None:
    code, lines = run(shell.script(["echo 'it''s'", "false", "echo never"]), tmp_path)
    assert (code, lines) == (1, [b"+ echo 'it''s'", b"its", b"+ false"])
