"""When a process was born, and whether its group still has a living member. Layer: lab; reads /proc, or asks ps."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path


def birth(pid: int) -> str | None:
    """Return when ``pid`` started, as a word that no later process of the same pid shares; None when it is gone."""
    return _from_proc(pid) if sys.platform == "linux" else _from_ps(pid)


def somebody_runs(group: int) -> bool:
    """Say whether a process group has a member that is not a zombie.

    In a container whose first process reaps late or never, dead children keep their group alive.
    """
    if sys.platform == "linux":
        return any(_in_group(stat, group) for stat in Path("/proc").glob("[0-9]*/stat"))
    asked = subprocess.run(["ps", "-A", "-o", "stat=", "-o", "pgid="], capture_output=True, text=True, check=False)
    members = (line.split() for line in asked.stdout.splitlines())
    return any(member[1:] == [str(group)] and not member[0].startswith("Z") for member in members)


def _in_group(stat: Path, group: int) -> bool:
    try:
        state, _, pgrp = stat.read_text().rpartition(")")[2].split()[:3]
    except (OSError, ValueError):
        return False
    return pgrp == str(group) and state not in "ZX"


def _from_ps(pid: int) -> str | None:
    # A -o each: BSD's ps takes all behind a "=" as the column's heading.
    argv = ["ps", "-o", "stat=", "-o", "lstart=", "-p", str(pid)]
    asked = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=5)
    state, _, started = asked.stdout.strip().partition(" ")
    return None if not started or state.startswith("Z") else " ".join(started.split())


def _from_proc(pid: int) -> str | None:
    # proc_pid_stat(5): the name in parentheses may hold anything; state is the 3rd field, starttime the 22nd.
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    fields = stat.rpartition(")")[2].split()
    return None if fields[0] in "ZX" else f"{_boot()}/{fields[19]}"


def _boot() -> str:
    # Start times count from the boot, so the same pid and time may come again after the next one.
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return "boot"  # some sandboxes hide it
