"""Ignored files that are nowhere else: git removes them with a worktree and says nothing.

Layer: work domain.
"""

from __future__ import annotations

from fnmatch import fnmatch

from homelab.errors import PersonNeeded
from homelab.git.runner import Git

_PATTERNS = (
    *(".env", ".env.*", "*.env", "*.tfstate", "*.tfstate.*", "*.tfvars", "*.tfvars.json"),
    *(
        "*.pem",
        "*.key",
        "*.p12",
        "*.pfx",
        "*.kdbx",
        "*.jks",
        "id_rsa",
        "id_ed25519",
        "id_ecdsa",
        "*.age",
        "*.sqlite",
        "*.db",
    ),
    *("kubeconfig", "*.kubeconfig", "credentials", "credentials.json", "secrets.*"),
)
#: Folders that tools fill and refill; what looks precious in them is a package's own.
_REFILLED = {
    *("node_modules", ".venv", "venv", "__pycache__", ".tox", ".nox", "target", ".terraform", "vendor", ".cache"),
    *(".mypy_cache", ".ruff_cache", ".pytest_cache", ".gradle", "dist", "build", ".direnv"),
}
_SHOWN = 20


def require_none(git: Git, *, drop: bool) -> None:
    """Refuse while ignored files here look irreplaceable, unless ``drop``. Raises PersonNeeded."""
    found = [] if drop else ignored(git)
    if found:
        raise PersonNeeded(
            "ignored files here exist nowhere else",
            why="removing the worktree would delete them without a word",
            fix="move them away, then run it again; or delete them with it: --drop-ignored",
            details=tuple(found[:_SHOWN]),
        )


def ignored(git: Git) -> list[str]:
    """Return the ignored files that look irreplaceable, as paths."""
    paths = git.records("ls-files", "--others", "--ignored", "--exclude-standard", "-z")
    return [path for path in paths if is_precious(path)]


def is_precious(path: str) -> bool:
    """Say whether a file of this name holds what no command brings back."""
    *folders, name = path.split("/")
    return _REFILLED.isdisjoint(folders) and any(fnmatch(name, pattern) for pattern in _PATTERNS)
