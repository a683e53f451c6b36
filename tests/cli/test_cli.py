"""argv in; stdout, stderr and exit code out."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from homelab.cli import _translate, run
from homelab.outcome import Outcome
from tests.fakes import world, written


def test_help_names_every_exit_code(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--help"], world(tmp_path)) == 0
    shown = capsys.readouterr().out
    for outcome in Outcome:
        assert f"{int(outcome):>3}  {outcome.word} — {outcome.meaning}" in shown


@pytest.mark.parametrize(
    "argv",
    [
        ["no-such-verb"],
        ["ci", "no-such-verb"],
        ["ci", "status", "--no-such-flag"],
        ["ci", "status", "--output", "loud"],
    ],
    ids=" ".join,
)
def test_a_wrong_command_line_exits_2_and_names_the_help(tmp_path: Path, argv: list[str]) -> None:
    here = world(tmp_path)
    assert run(argv, here) == 2
    error = written(here.stderr).splitlines()
    assert error[0].startswith("error: ")
    assert error[-2].startswith("next: homelab")
    assert error[-2].endswith("--help")
    assert error[-1] == "usage (exit 2)"


def test_a_wrong_command_line_is_ndjson_when_ndjson_was_asked(tmp_path: Path) -> None:
    here = world(tmp_path)
    assert run(["ci", "status", "--output", "ndjson", "--no-such-flag"], here) == 2
    record = json.loads(written(here.stdout))
    assert (record["kind"], record["exit_code"]) == ("error", 2)


@pytest.mark.parametrize("words", ["--help", "--manifest", "ci --help", "--version"])
def test_help_that_nobody_reads_to_its_end_is_no_bug(words: str) -> None:
    left, right = os.pipe()
    os.close(left)
    done = subprocess.run(
        [sys.executable, "-m", "homelab", *words.split()], stdout=right, stderr=subprocess.PIPE, text=True, check=False
    )
    os.close(right)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is full")
@pytest.mark.parametrize("output", ["plain", "ndjson", "human"])
def test_an_answer_that_a_full_disk_lost_is_not_done(output: str) -> None:
    with Path("/dev/full").open("w") as full:
        argv = [sys.executable, "-m", "homelab", "config", "show", "--output", output]
        done = subprocess.run(argv, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 2
    assert output == "ndjson" or "could not be written to stdout\nwhy: No space left on device\n" in done.stderr


@pytest.mark.parametrize("words", ["--help", "work land --help", "--manifest", "no-such-verb"])
def test_an_encoding_without_arrows_gets_words_and_no_bug(words: str) -> None:
    env = {**os.environ, "PYTHONIOENCODING": "latin-1"}
    argv = [sys.executable, "-m", "homelab", *words.split()]
    done = subprocess.run(argv, capture_output=True, check=False, env=env)
    assert done.returncode == (2 if words == "no-such-verb" else 0), done.stderr
    assert (b"\\u2192" in done.stdout) == (words == "--help")


def test_an_unknown_renderer_in_the_environment_exits_2(tmp_path: Path) -> None:
    here = world(tmp_path, env={"HOMELAB_OUTPUT": "loud"})
    assert run(["config", "show"], here) == 2
    assert "HOMELAB_OUTPUT is 'loud'" in written(here.stderr)


def test_a_bug_leaves_a_log_and_no_traceback_on_the_terminal(tmp_path: Path) -> None:
    here = world(tmp_path)
    error = _translate(ZeroDivisionError("boom"), here)
    log = Path(error.fix.rpartition(" ")[2])
    assert error.outcome is Outcome.BUG
    assert "ZeroDivisionError: boom" in log.read_text()
    assert log.stat().st_mode & 0o777 == 0o600


def test_ctrl_c_is_130_and_not_one(tmp_path: Path) -> None:
    assert _translate(KeyboardInterrupt(), world(tmp_path)).outcome is Outcome.INTERRUPTED


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP], ids=lambda number: number.name)
def test_a_signal_ends_with_128_plus_its_number_and_a_sentence(number: signal.Signals) -> None:
    program = (
        "import os, signal, homelab.cli as cli\n"
        f"cli.cli.main = lambda **_: os.kill(os.getpid(), {int(number)}) or signal.pause()\n"
        "cli.main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=30, env=dict(os.environ)
    )
    assert (done.returncode, done.stderr.splitlines()[-1]) == (
        128 + number,
        {
            signal.SIGTERM: "terminated (exit 143)",
            signal.SIGHUP: "hung up (exit 129)",
        }[number],
    )


def test_python_m_homelab_works_with_closed_stdin() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "homelab", "--version"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout.split(",")[0]) == (0, "homelab")


def test_the_manifest_describes_each_verb_with_its_tier(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--manifest"], world(tmp_path)) == 0
    verbs = {(verb := json.loads(line))["name"]: verb for line in capsys.readouterr().out.splitlines()}
    assert verbs["ci watch"]["tier"] == "read"
    assert verbs["work land"]["tier"] == "write"
    assert all(verb["summary"] for verb in verbs.values())


def test_leaving_runs_what_was_registered_for_the_exit_and_keeps_the_code(tmp_path: Path) -> None:
    left = tmp_path / "left"
    program = (
        "import atexit, pathlib, homelab.cli as cli\n"
        f"atexit.register(pathlib.Path({str(left)!r}).write_text, 'cleaned')\n"
        "cli.main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, "no-such-verb"], capture_output=True, text=True, check=False, timeout=30
    )
    assert (done.returncode, left.read_text()) == (2, "cleaned")
    assert done.stderr.endswith("usage (exit 2)\n")


def test_the_help_of_a_domain_shows_whole_sentences(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["ci", "--help"], world(tmp_path)) == 0
    assert "..." not in capsys.readouterr().out.partition("Commands:")[2]


@pytest.mark.parametrize(
    ("argv", "verb"), [([], "demo      Land a change"), (["work"], "land      Land this branch")], ids=["root", "group"]
)
def test_a_missing_verb_is_answered_with_the_verbs_there_are(tmp_path: Path, argv: list[str], verb: str) -> None:
    here = world(tmp_path)
    assert run(argv, here) == 2
    said = written(here.stderr)
    assert verb in said
    assert "\\x0a" not in said
    assert said.splitlines()[-2] == f"next: {' '.join(['homelab', *argv])} --help"


def test_the_folder_may_be_named_before_the_verb(tmp_path: Path) -> None:
    here = world(tmp_path)
    (tmp_path / "elsewhere").mkdir()
    assert run(["-C", str(tmp_path / "elsewhere"), "lab", "status", "--dir", "there"], here) == Outcome.NOTHING
    assert str(tmp_path / "elsewhere" / "there") in written(here.stderr)


def test_a_removed_folder_is_a_sentence_and_help_works_in_it(tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    script = "cd $0 && rmdir $0 && $1 -m homelab config show; echo $?; $1 -m homelab --help"
    gone.mkdir()
    env = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    done = subprocess.run(
        ["sh", "-c", script, str(gone), sys.executable],
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
        env=env,
    )
    assert done.returncode == 0
    assert done.stdout.startswith("2\nUsage: homelab")
    assert "error: the current folder is gone\n" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_closed_streams_change_no_exit_code(tmp_path: Path, closed: str) -> None:
    env = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "PYTHONPATH": str(Path(__file__).parents[2])}
    script = f"exec {sys.executable} -m homelab lab status {closed}"
    done = subprocess.run(
        ["sh", "-c", script], capture_output=True, text=True, check=False, timeout=30, cwd=tmp_path, env=env
    )
    assert done.returncode == Outcome.NOTHING
    assert "Traceback" not in done.stderr


def test_ctrl_c_during_the_imports_prints_no_traceback() -> None:
    program = (
        "import os, runpy, signal, sys\n"
        "class Slow:\n"
        "    def find_spec(self, name, *_):\n"
        "        if name == 'homelab.cli': os.kill(os.getpid(), signal.SIGINT)\n"
        "sys.meta_path.insert(0, Slow())\n"
        "runpy.run_module('homelab', run_name='__main__')"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=30)
    assert (done.returncode, done.stderr) == (-signal.SIGINT, "")


def test_ctrl_c_is_a_sentence_once_the_command_line_is_there() -> None:
    program = (
        "import os, signal, homelab.__main__, homelab.cli as cli\n"
        "cli.cli.main = lambda **_: os.kill(os.getpid(), signal.SIGINT) or signal.pause()\n"
        "homelab.__main__.main()"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=30)
    assert (done.returncode, done.stderr.splitlines()[-1]) == (130, "interrupted (exit 130)")
