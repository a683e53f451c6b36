"""Puts our pre-push hook where git finds it, beside what is there, and takes it away again.

Layer: work domain.
"""

from __future__ import annotations

import re
import shlex
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from homelab.app import App
from homelab.errors import PersonNeeded, UsageError
from homelab.git.runner import Git
from homelab.outcome import Outcome
from homelab.result import Result

MARK = "# homelab pre-push hook"
_CONFIGURED = (2, 54)
_LEGACY = ".legacy"


@dataclass(frozen=True, slots=True)
class HookChanged(Result):
    """Where the hook is now."""

    place: str
    changed: bool

    def lines(self) -> list[str]:
        """Return the headline; there is nothing more."""
        return [self.headline]

    def record(self) -> dict[str, Any]:
        """Return place and whether anything changed."""
        return {"place": self.place, "changed": self.changed}


def install(app: App) -> HookChanged:
    """Install the hook, keeping a foreign one as ``.legacy`` to run first; installing twice changes nothing.

    Raises PersonNeeded where ``core.hooksPath`` sends hooks elsewhere.
    """
    git = app.git
    if _version(git) >= _CONFIGURED:
        command = f"{program()} work hook run"
        before = git.read("config", "--get", "hook.homelab.command").out.strip()
        git.text("config", "hook.homelab.event", "pre-push")
        git.text("config", "hook.homelab.command", command)
        return HookChanged(Outcome.DONE, "pre-push runs homelab (git config hook.homelab)", "config", before != command)
    path = _path(git)
    _require_own_folder(git, path)
    text = script()
    if path.is_file() and path.read_text(encoding="utf-8", errors="replace") == text:
        return HookChanged(Outcome.DONE, f"{path} runs homelab already", str(path), changed=False)
    if path.exists() and not _is_ours(path):
        legacy = path.with_name(path.name + _LEGACY)
        if legacy.exists():
            raise UsageError(
                f"{path} and {legacy} are both foreign",
                why="the hook that is there would be kept under a name that is taken",
                fix=f"look at both and remove one, then: homelab work hook install ({legacy})",
            )
        path.rename(legacy)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    path.chmod(0o755)
    return HookChanged(Outcome.DONE, f"{path} runs homelab", str(path), changed=True)


def uninstall(app: App) -> HookChanged:
    """Remove our hook, and nobody else's; a foreign one that was kept comes back."""
    git = app.git
    if git.read("config", "--get", "hook.homelab.command").code == 0:
        git.text("config", "--remove-section", "hook.homelab")
        return HookChanged(Outcome.DONE, "git config hook.homelab is gone", "config", changed=True)
    path = _path(git)
    if not path.is_file() or not _is_ours(path):
        return HookChanged(Outcome.DONE, "no hook of homelab's is installed", str(path), changed=False)
    path.unlink()
    legacy = path.with_name(path.name + _LEGACY)
    if legacy.exists():
        legacy.rename(path)
        return HookChanged(Outcome.DONE, f"{path} is the hook from before again", str(path), changed=True)
    return HookChanged(Outcome.DONE, f"{path} is gone", str(path), changed=True)


def program() -> str:
    """Return this homelab as a shell command."""
    return f"{_python()} -m homelab"


def _python() -> str:
    # -P: git runs hooks in the work tree, and a module that a repository keeps there must not be taken for ours.
    return f"{shlex.quote(sys.executable)} -P"


def script() -> str:
    """Return the hook: it says how to remove itself where homelab is gone, and never writes to stdout."""
    return f"""\
#!/bin/sh
{MARK} 1; homelab work hook uninstall removes it
if ! {_python()} -c 'import homelab' 2>/dev/null; then
  echo "homelab, which this hook runs, is gone; remove the hook: rm '$0'" >&2
  exit 1
fi
HOMELAB_HOOK="$0" exec {program()} work hook run "$@" >&2
"""


def _path(git: Git) -> Path:
    return Path(git.text("rev-parse", "--path-format=absolute", "--git-path", "hooks/pre-push"))


def _is_ours(path: Path) -> bool:
    return MARK in path.read_text(encoding="utf-8", errors="replace")


def _require_own_folder(git: Git, path: Path) -> None:
    said = git.read("config", "--show-scope", "--show-origin", "--get", "core.hooksPath")
    if said.code == 0:
        raise PersonNeeded(
            "core.hooksPath sends hooks elsewhere",
            why=" ".join(said.out.split()),
            fix=f'add to the pre-push hook there: {program()} work hook run "$@" >&2',
            details=(f"git looks for it at {path}",),
        )


def _version(git: Git) -> tuple[int, int]:
    found = re.search(r"(\d+)\.(\d+)", git.text("version"))
    return (int(found[1]), int(found[2])) if found else (0, 0)
