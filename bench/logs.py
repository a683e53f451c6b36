"""What showing a long log costs: peak memory beside an empty Python's, while each line is shown once and in order."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from homelab.clock import SystemClock
from homelab.lab.down import down
from homelab.lab.guide import environment, without_servers
from homelab.lab.layout import Layout
from homelab.lab.parts import vault_token
from homelab.lab.remote import git
from homelab.lab.up import up

LINES, WIDE, WIDTH = 100_000, 200_000, 1000
PIPELINE = f"""\
when:
  - event: push
    branch: main
steps:
  - name: many
    image: bash
    commands:
      - seq -f 'line %.0f' {LINES}
      - sleep 1
  - name: large
    image: bash
    commands:
      - head -c {WIDE * WIDTH} /dev/zero | tr '\\0' x | fold -w {WIDTH}
"""
#: Runs a command line, then tells its largest memory since exec in kB: getrusage would count a parent's too.
MEASURED = """
import sys
code = 0
if sys.argv[1:]:
    from homelab.cli import run
    from homelab.world import World
    code = run(sys.argv[1:], World.real())
print(open("/proc/self/status").read().partition("VmHWM:")[2].split()[0], file=sys.stderr)
sys.exit(code)
"""


def main() -> None:
    """Print a row for following many lines, and one for reading a large log."""
    if not Path("/proc/self/status").exists():
        sys.exit("bench logs: needs /proc")
    with tempfile.TemporaryDirectory() as folder:
        lab = Layout(Path(folder) / "lab")
        up(lab, env=os.environ, clock=SystemClock(), emit=lambda _: None)
        try:
            _push(lab)
            empty, _, _ = _measured(lab, Path(folder) / "out")
            words = ("--step", "many", "--follow", "--timeout", "120")
            kilobytes, seconds, out = _measured(lab, Path(folder) / "out", "ci", "logs", *words)
            shown = [line for line in out.read_text().splitlines() if line.startswith("line ")]
            whole = shown == [f"line {number}" for number in range(1, LINES + 1)]
            _tell(f"follow {LINES:,} lines", kilobytes, empty, seconds, whole=whole)
            _measured(lab, Path(folder) / "out", "ci", "watch", "--timeout", "300")
            kilobytes, seconds, out = _measured(lab, Path(folder) / "out", "ci", "logs", "--step", "large")
            with out.open() as lines:
                whole = sum(line == "x" * WIDTH + "\n" for line in lines) == WIDE
            _tell(f"read {WIDE * WIDTH // 1_000_000} MB", kilobytes, empty, seconds, whole=whole)
        finally:
            down(lab)


def _push(lab: Layout) -> None:
    (lab.clone / ".woodpecker.yaml").write_text(PIPELINE)
    git(lab.clone, "add", "--all", env=os.environ)
    git(lab.clone, "commit", "--quiet", "--message", "Print a lot", env=os.environ)
    git(lab.clone, "push", "--quiet", env=os.environ)


def _measured(lab: Layout, out: Path, *words: str) -> tuple[int, float, Path]:
    """Return peak kilobytes, seconds, and where stdout went, of one homelab command; of an empty Python without."""
    env = {**without_servers(os.environ), **environment(lab, vault_token=vault_token(lab).reveal())}
    began = time.perf_counter()
    with out.open("wb") as file:
        ran = subprocess.run(
            [sys.executable, "-c", MEASURED, *words],
            cwd=lab.clone,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.PIPE,
            check=False,
        )
    if ran.returncode:
        sys.exit(f"bench logs: homelab {' '.join(words)} ended with {ran.returncode}: {ran.stderr.decode()}")
    return int(ran.stderr.split()[-1]), time.perf_counter() - began, out


def _tell(what: str, kilobytes: int, empty: int, seconds: float, *, whole: bool) -> None:
    told = "each line once and in order" if whole else "LINES LOST OR OUT OF ORDER"
    print(f"{what:<22} {kilobytes / 1024:5.1f} MB, {kilobytes / empty:.1f} x empty, {seconds:.1f} s: {told}")
