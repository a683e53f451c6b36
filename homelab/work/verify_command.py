"""Which command must pass before a land, and what could be one where none is configured.

Candidates are found by reading text; nothing of the repository is run to find them.
Layer: work domain.
"""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path
from shlex import quote

from homelab.errors import NotLanded
from homelab.work.model import LandRequest, VerifyCommand

_NAMES = r"(?:verify|check|test|tests|ci|lint)"
#: File, what its text must hold, and the command it suggests.
_HINTS = (
    ("justfile", rf"^(?P<target>{_NAMES})(?:[ \t][^:\n]*)?:(?!=)", "just {target}"),
    ("Makefile", rf"^(?P<target>{_NAMES})\s*:(?!=)", "make {target}"),
    ("Taskfile.yml", rf"^  (?P<target>{_NAMES}):", "task {target}"),
    ("tox.ini", r"", "tox"),
    ("noxfile.py", r"", "nox"),
    ("pyproject.toml", r"^\[tool\.pytest", "pytest"),
    ("pytest.ini", r"", "pytest"),
    ("Cargo.toml", r"", "cargo test"),
    ("go.mod", r"", "go test ./..."),
    (".pre-commit-config.yaml", r"", "pre-commit run --all-files"),
)


def choose(request: LandRequest, *, repository_file: str | None, git_config: str | None) -> VerifyCommand | None:
    """Return the command: the flag's, the repository file's, git configuration's. None: there is none."""
    for text, origin in (
        (request.verify, "flag"),
        (repository_file, ".homelab.toml"),
        (git_config, "git config homelab.verify"),
    ):
        if text and text.strip():
            return VerifyCommand(text.strip(), origin)
    return None


def none_found(root: Path) -> NotLanded:
    """Return the error for a repository without a verification command, with what it might use."""
    found = candidates(root)
    return NotLanded(
        "no verification command is configured",
        why="a land verifies what it pushes" + (f"; found here: {', '.join(found)}" if found else ""),
        fix=f"git config homelab.verify {quote(found[0] if found else '<command>')}"
        "  (for everybody: [work] verify in .homelab.toml; once without: --no-verify-land)",
    )


def candidates(root: Path) -> tuple[str, ...]:
    """Return commands that look like this repository's own checks."""
    found = []
    for name, pattern, command in _HINTS:
        match = re.search(pattern, _text(root / name), re.MULTILINE) if (root / name).is_file() else None
        if match:
            found.append(command.format(**match.groupdict()))
    if _npm_test(root / "package.json"):
        found.append("npm test")
    if any(root.glob("*.tf")):
        found.append("terraform validate")
    if not found and (root / "tests").is_dir() and any((root / "tests").glob("test_*.py")):
        found.append("python3 -m pytest")
    return tuple(dict.fromkeys(found))


def in_file(text: str | None) -> str | None:
    """Return ``[work] verify`` of a ``.homelab.toml``'s text; None where it has none or is broken."""
    try:
        said = tomllib.loads(text or "").get("work", {}).get("verify")
    except (tomllib.TOMLDecodeError, AttributeError):
        return None
    return said if isinstance(said, str) else None


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def _npm_test(path: Path) -> bool:
    try:
        scripts = json.loads(_text(path) or "{}").get("scripts", {})
    except (ValueError, AttributeError):
        return False
    test = scripts.get("test") if isinstance(scripts, dict) else None
    return isinstance(test, str) and "no test specified" not in test
