"""Makes commits of trees that are already known, without touching a worktree.

``git commit-tree`` neither signs nor runs the commit-msg hook by itself; a repository that asks for
either gets both here. Layer: work domain.
"""

from __future__ import annotations

import re

from homelab.errors import NotLanded
from homelab.git.runner import reason, spoken
from homelab.outcome import Outcome
from homelab.work.scene import Scene

_SKIP = re.compile(r"\s*\[(?:skip ci|ci skip|no ci|skip actions|actions skip|skip woodpecker)\]\s*", re.IGNORECASE)


def commit_tree(scene: Scene, tree: str, *parents: str, message: str) -> str:
    """Return a new commit of ``tree`` with ``parents`` in that order. Raises NotLanded for a hook's no."""
    sign = scene.git.read("config", "--type=bool", "--get", "commit.gpgSign").out.strip() == "true"
    arguments = [part for parent in parents for part in ("-p", parent)]
    text = _through_hook(scene, message)
    return scene.git.text("commit-tree", *(["-S"] if sign else []), *arguments, "-F", "-", tree, stdin=text.encode())


def merge_message(scene: Scene) -> str:
    """Return the subject git would give the merge."""
    into = "" if scene.plan.target_name in {"main", "master"} else f" into {scene.plan.target_name}"
    return f"Merge branch '{scene.plan.branch}'{into}\n"


def squash_message(scene: Scene, base: str, source: str) -> str:
    """Return the one commit's message, or the branch's name over the list of its subjects.

    A skip word of one squashed commit must not silence CI for all of them.
    """
    subjects = scene.git.lines("log", "--reverse", "--no-merges", "--format=%s", f"{base}..{source}")
    if len(subjects) == 1:
        message = scene.git.text("log", "-1", "--no-merges", "--format=%B", f"{base}..{source}")
    else:
        message = f"{scene.plan.branch}\n\n" + "\n".join(f"* {subject}" for subject in subjects)
    return _SKIP.sub(" ", message).strip() + "\n"


def _through_hook(scene: Scene, message: str) -> str:
    path = scene.store.folder / "COMMIT_MSG"
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    path.write_text(message, encoding="utf-8")
    try:
        ended = scene.git.run("hook", "run", "--ignore-missing", "commit-msg", "--", str(path))
        if ended.code != 0:
            raise NotLanded(
                "the commit-msg hook declined the merge's message",
                why=reason(ended),
                fix="git hook run commit-msg -- <file> shows what it wants; then: homelab work land",
                details=spoken(ended),
                outcome=Outcome.PUSH_POLICY,
            )
        return path.read_text(encoding="utf-8")
    finally:
        path.unlink(missing_ok=True)
