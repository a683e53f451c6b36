"""How a measurement is taken: fresh processes, alternating, the median."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence


def wall(argv: Sequence[str], *, env: Mapping[str, str] | None = None) -> float:
    """Return the seconds from spawn to exit of one run."""
    began = time.perf_counter()
    subprocess.run(
        argv, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False, env=env
    )
    return time.perf_counter() - began


def medians(commands: Mapping[str, Sequence[str]], *, rounds: int = 15) -> dict[str, float]:
    """Return each command's median wall time; the commands take turns, so that drift hits all alike."""
    for argv in commands.values():
        wall(argv)
    taken: dict[str, list[float]] = {name: [] for name in commands}
    for _ in range(rounds):
        for name, argv in commands.items():
            taken[name].append(wall(argv))
    return {name: statistics.median(times) for name, times in taken.items()}


def peak_memory(argv: Sequence[str], *, env: Mapping[str, str] | None = None) -> int:
    """Return the peak resident bytes of one run, asked of the kernel for that child alone."""
    process = subprocess.Popen(
        argv, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=env
    )
    _, _, usage = os.wait4(process.pid, 0)
    process.returncode = 0
    return usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024)
