"""The process's surroundings, gathered once by ``cli.main`` and handed down.

Nothing below reads ``os.environ``, ``sys.stdout`` or the working directory by itself.
Layer: vocabulary, above clock.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO

from homelab.clock import Clock, SystemClock


@dataclass(frozen=True)
class World:
    """Environment, working directory, streams and clock of one command."""

    env: Mapping[str, str]
    cwd: Path
    stdin: TextIO | None
    stdout: TextIO
    stderr: TextIO
    clock: Clock = field(default_factory=SystemClock)

    @classmethod
    def real(cls) -> World:
        """Return the surroundings of this process. A working directory that was removed keeps its last name."""
        try:
            cwd = Path.cwd()
        except FileNotFoundError:
            cwd = Path(os.environ.get("PWD") or "/nowhere")
        return cls(env=dict(os.environ), cwd=cwd, stdin=sys.stdin, stdout=sys.stdout, stderr=sys.stderr)

    @property
    def home(self) -> Path:
        """Return the home folder."""
        return Path(self.env.get("HOME") or Path.home())

    @property
    def config_home(self) -> Path:
        """Return ``$XDG_CONFIG_HOME/homelab``."""
        return self._base("XDG_CONFIG_HOME", ".config") / "homelab"

    @property
    def state_home(self) -> Path:
        """Return ``$XDG_STATE_HOME/homelab``: approvals, locks, logs, the lab."""
        return self._base("XDG_STATE_HOME", ".local/state") / "homelab"

    def _base(self, variable: str, below_home: str) -> Path:
        """Return a base folder; a relative one is no folder by the XDG specification."""
        named = Path(self.env.get(variable) or ".")
        return named if named.is_absolute() else self.home / below_home

    @property
    def interactive(self) -> bool:
        """Say whether a person can be asked: stdin and stderr are terminals and nobody said otherwise."""
        if self.env.get("HOMELAB_NONINTERACTIVE"):
            return False
        return bool(self.stdin and self.stdin.isatty() and self.stderr.isatty())
