from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

from homelab.git.child import Order, run


def _order(script: str, tmp_path: Path, **changes) -> Order:
    return Order(argv=("sh", "-c", script), cwd=tmp_path, env=dict(os.environ), **changes)


def test_both_streams_are_kept_apart_and_whole(tmp_path):
    ended = run(_order("seq 1 40000; echo bad >&2; exit 3", tmp_path))
    assert (ended.code, ended.err) == (3, "bad\n")
    assert ended.out.splitlines()[-1] == "40000"


def test_stdin_is_closed_or_what_was_given(tmp_path):
    assert run(_order("cat", tmp_path)).out == ""
    assert run(_order("cat", tmp_path, stdin=b"given")).out == "given"


def test_a_child_past_its_time_is_killed_with_its_group(tmp_path):
    ended = run(_order("echo $$; sleep 30 & wait", tmp_path, timeout=0.2))
    assert ended.timed_out
    left = subprocess.run(
        ["ps", "-o", "stat=", "-g", ended.out.strip()], capture_output=True, text=True, check=False
    ).stdout
    assert all(state.startswith("Z") for state in left.split())


def test_a_child_that_keeps_talking_is_not_idle(tmp_path):
    assert not run(_order("for i in 1 2 3 4; do echo .; sleep 0.1; done", tmp_path, idle=0.35)).timed_out
    assert run(_order("echo .; sleep 30", tmp_path, idle=0.2)).timed_out


def test_a_helper_that_outlives_the_child_with_our_pipe_does_not_hang_us(tmp_path):
    ended = run(_order("setsid sleep 3 & echo done", tmp_path, timeout=30))
    assert ended.out == "done\n"
    assert ended.seconds < 2


def test_what_is_left_in_the_group_is_swept_away(tmp_path):
    ended = run(_order("sleep 30 & echo $!", tmp_path, sweep=True))
    time.sleep(0.05)
    state = subprocess.run(
        ["ps", "-o", "stat=", "-p", ended.out.strip()], capture_output=True, text=True, check=False
    ).stdout
    assert state.strip()[:1] in {"", "Z"}


def test_only_the_last_bytes_are_kept_when_asked(tmp_path):
    heard = []
    ended = run(_order("seq 1 20000", tmp_path, keep=100, on_chunk=lambda _name, chunk: heard.append(len(chunk))))
    assert ended.out.endswith("20000\n")
    assert len(ended.stdout) <= 65736
    assert sum(heard) == 108894


def _interrupted(tmp_path: Path, order: str, *signals: int) -> str:
    """Run a child from another Python, send it signals, and return what it printed."""
    script = textwrap.dedent(f"""
        import os, pathlib, signal
        from homelab.git.child import Order, run
        from homelab.errors import Interrupted
        def term(*_):
            raise Interrupted("x", why="y", fix="z")
        signal.signal(signal.SIGTERM, term)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        try:
            ended = run(Order(cwd=pathlib.Path("."), env=dict(os.environ), {order}))
            print("ended", ended.code, type(ended.interruption).__name__)
        except BaseException as stop:
            print("raised", type(stop).__name__)
    """)
    root = Path(__file__).parents[2]
    popen = subprocess.Popen(
        [sys.executable, "-c", script],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(root)},
    )
    for number in signals:
        while not (tmp_path / "started").exists():
            time.sleep(0.01)
        popen.send_signal(number)
        time.sleep(0.15)
    return popen.communicate(timeout=20)[0].strip()


TRAP = "argv=('sh', '-c', 'trap \"echo cleaned > cleaned; exit 1\" INT TERM; echo > started; sleep 20 & wait')"
SLOW = "argv=('sh', '-c', 'echo > started; sleep 0.6; echo > finished')"


def test_ctrl_c_reaches_the_child_once_and_it_may_clean_up(tmp_path):
    assert _interrupted(tmp_path, TRAP, signal.SIGINT) == "raised KeyboardInterrupt"
    assert (tmp_path / "cleaned").exists()


def test_termination_reaches_the_child_too(tmp_path):
    assert _interrupted(tmp_path, TRAP, signal.SIGTERM) == "raised Interrupted"
    assert (tmp_path / "cleaned").exists()


def test_a_signal_that_comes_while_the_child_starts_still_reaches_it(tmp_path):
    slow = "if event == 'return' and frame.f_code.co_name == '_execute_child': time.sleep(1)"
    script = f"""
import os, pathlib, signal, sys, time
from homelab.git.child import Order, run
def slow(frame, event, _):
    {slow}
sys.setprofile(slow)
child = 'trap "echo cleaned > cleaned; exit 1" INT; kill -INT $PPID; sleep 5 & wait; echo > ran-on'
try:
    run(Order(argv=("sh", "-c", child), cwd=pathlib.Path("."), env=dict(os.environ)))
except KeyboardInterrupt:
    print("raised", signal.getsignal(signal.SIGINT) is signal.default_int_handler, os.path.exists("cleaned"))
"""
    env = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, env=env, check=False, timeout=60
    )
    assert done.stdout == "raised True True\n", done.stdout + done.stderr


def test_a_shielded_child_finishes_after_the_first_signal(tmp_path):
    assert _interrupted(tmp_path, SLOW + ", shielded=True", signal.SIGINT) == "ended 0 KeyboardInterrupt"
    assert (tmp_path / "finished").exists()


def test_a_second_signal_ends_a_shielded_child(tmp_path):
    assert _interrupted(tmp_path, TRAP + ", shielded=True", signal.SIGINT, signal.SIGINT).startswith("ended")
