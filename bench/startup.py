"""How long a command takes before it does anything, as a multiple of an empty Python."""

from __future__ import annotations

import sys

from bench._measure import medians


def main() -> None:
    """Print a row for each command."""
    homelab = [sys.executable, "-m", "homelab"]
    times = medians(
        {
            "python -c pass": [sys.executable, "-c", "pass"],
            "homelab --help": [*homelab, "--help"],
            "homelab ci --help": [*homelab, "ci", "--help"],
            "homelab work land --help": [*homelab, "work", "land", "--help"],
            "homelab config show": [*homelab, "config", "show"],
        }
    )
    empty = times["python -c pass"]
    for name, seconds in times.items():
        print(f"{name:<28} {seconds / empty:5.1f} x empty   ({seconds * 1000:.0f} ms)")
