"""Whether a branch's work is in the target: the proof that ``clean`` needs before it deletes anything.

"Could not be computed" is never "nothing is missing". Layer: work domain.
"""

from __future__ import annotations

from pathlib import Path

from homelab.git.runner import Git
from homelab.work import landed


def landed_how(git: Git, common_dir: Path, tip: str, base: str) -> str:
    """Return how ``tip``'s work came to be in ``base``, or "" when that is not proven."""
    if git.read("merge-base", "--is-ancestor", tip, base).code == 0:
        return "its commits are in the target"
    pair = landed.find(common_dir, tip)
    if pair is not None and git.read("merge-base", "--is-ancestor", pair.landed, base).code == 0:
        return f"it landed as {pair.landed[:12]}"
    merged = git.read("merge-tree", "--write-tree", "--no-messages", base, tip)
    if merged.code == 0 and merged.out.strip() == git.text("rev-parse", f"{base}^{{tree}}"):
        return "its content is in the target"
    picked = git.read("cherry", base, tip)
    marks = {line[:1] for line in picked.out.splitlines()}
    return "every commit of it is in the target as a copy" if picked.code == 0 and marks == {"-"} else ""
