"""Whether a worktree may go: nobody in it, nothing unfinished, nothing uncommitted.

Layer: work domain.
"""

from __future__ import annotations

import os
from pathlib import Path
from shlex import quote

from homelab.app import App
from homelab.errors import GitFailed, HomelabError, PersonNeeded
from homelab.git.runner import Git
from homelab.work.worktrees import Worktree, operation, status


def require_free(app: App, tree: Worktree, *, discard: bool) -> bool:
    """Refuse a worktree that is in use; return whether it holds initialised submodules, all looked into.

    ``discard`` gives up commits, never files: changes and untracked files refuse all the same.
    Raises PersonNeeded.
    """
    git = app.git.at(tree.path)
    if tree.locked is not None:
        raise _held(
            tree,
            f"it is locked{': ' + tree.locked if tree.locked else ''}",
            f"git worktree unlock {quote(str(tree.path))}",
        )
    _require_same_repository(app, tree, git)
    if app.world.cwd.resolve().is_relative_to(tree.path.resolve()):
        raise _held(tree, "you are in it", f"cd {quote(str(app.repository.common_dir.parent))}")
    others = people_in(tree.path)
    if others:
        raise _held(tree, f"processes work in it: {', '.join(others[:5])}", "end them, or leave the folder")
    busy = operation(git, Path(git.text("rev-parse", "--absolute-git-dir")))
    if busy is not None:
        raise _held(tree, f"a {busy.name} is in progress in it", f"cd {quote(str(tree.path))}; {busy.ways_out}")
    _require_committed(tree, git, discard=discard)
    return _submodules(tree, git)


def people_in(path: Path) -> list[str]:
    """Return the processes whose working folder is inside, as far as this system shows them."""
    found = []
    for entry in Path("/proc").glob("[0-9]*") if Path("/proc/self/cwd").exists() else ():
        try:
            cwd = (entry / "cwd").readlink()
            name = (entry / "comm").read_text(encoding="utf-8", errors="replace").strip()
        except OSError:
            continue
        if cwd.is_relative_to(path.resolve()) and int(entry.name) != os.getpid():
            found.append(f"{name} ({entry.name})")
    return found


def _require_same_repository(app: App, tree: Worktree, git: Git) -> None:
    try:
        theirs = Path(git.text("rev-parse", "--path-format=absolute", "--git-common-dir"))
    except HomelabError as error:
        raise _held(tree, f"its folder is no worktree any more: {error.why}", "git worktree prune -v") from error
    if theirs.resolve() != app.repository.common_dir.resolve():
        raise _held(tree, "its folder is another repository now", f"look at {tree.path}")


def _require_committed(tree: Worktree, git: Git, *, discard: bool) -> None:
    found = status(git)
    if found.clean:
        return
    raise PersonNeeded(
        f"{tree.path} holds work that is not committed",
        why="--discard gives up commits, not files" if discard else "it is in no commit",
        fix=f"cd {quote(str(tree.path))}; git commit or remove them, then run it again",
        details=(*found.changed, *found.untracked)[:20],
    )


def _submodules(tree: Worktree, git: Git) -> bool:
    """Look into each initialised submodule; return whether there is one. Raises PersonNeeded."""
    try:
        lines = git.lines("submodule", "status") if (tree.path / ".gitmodules").is_file() else []
    except GitFailed as error:
        why = f"git cannot tell its submodules: {error.why}"
        raise _held(tree, why, f"look, then by hand: git worktree remove {quote(str(tree.path))}") from error
    inside = [line[1:].split()[1] for line in lines if line[:1] != "-"]
    for name in inside:
        module = git.at(tree.path / name)
        stray = module.lines("rev-list", "--max-count=1", "--all", "HEAD", "--not", "--remotes")
        if not status(module).clean or stray:
            raise _held(
                tree, f"its submodule {name} holds work of its own", f"cd {quote(str(tree.path / name))}; git status"
            )
    return bool(inside)


def _held(tree: Worktree, why: str, fix: str) -> PersonNeeded:
    return PersonNeeded(f"{tree.path} cannot be removed", why=why, fix=fix)
