"""Which branch tips have landed as which commit: a line each, shared by all worktrees of a repository.

A squashed or merged branch is never an ancestor of the target; this is how ``clean`` and a second
``land`` know it landed. Layer: work domain.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Pair:
    """One landed branch: its tip before and after integration, the commit on the target, when (Unix time)."""

    branch: str
    source: str
    tip: str
    landed: str
    target: str
    remote: str
    at: float
    #: The target's commit before; "" where it was created.
    base: str = ""


def record(common_dir: Path, pair: Pair) -> None:
    """Append the pair in one write, so that parallel lands cannot mix their lines."""
    path = _path(common_dir)
    path.parent.mkdir(mode=0o700, exist_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        os.write(descriptor, (json.dumps(asdict(pair)) + "\n").encode())
    finally:
        os.close(descriptor)


def find(common_dir: Path, tip: str) -> Pair | None:
    """Return how the branch tip ``tip`` landed, newest first, or None."""
    return next((pair for pair in reversed(list(pairs(common_dir))) if tip in {pair.source, pair.tip}), None)


def pairs(common_dir: Path) -> Iterator[Pair]:
    """Yield every pair, oldest first; a line that was cut off is passed over."""
    try:
        text = _path(common_dir).read_text(encoding="utf-8")
    except OSError:
        return
    for line in text.splitlines():
        try:
            yield Pair(**json.loads(line))
        except (ValueError, TypeError):
            continue


def _path(common_dir: Path) -> Path:
    return common_dir / "homelab" / "landed.jsonl"
