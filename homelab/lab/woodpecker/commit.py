"""What the server asks the bare repository: a commit's facts, its configuration files, its branches.

Blocking; the server calls these in a worker thread. They read objects only, never a work tree.
"""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

from homelab.lab.woodpecker.records import ConfigFile

ZERO = "0" * 40
_SUFFIXES = (".yaml", ".yml")
_TIMEOUT = 30.0


@dataclass(frozen=True, slots=True)
class CommitFacts:
    """What a push event carries about its head commit."""

    oid: str
    message: str
    author: str
    email: str
    timestamp: int
    changed_files: tuple[str, ...] = ()


def git(repository: Path, *arguments: str) -> str:
    """Return git's output. CalledProcessError when it fails: the object is not there."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    command = ["git", "--git-dir", str(repository), *arguments]
    done = subprocess.run(command, capture_output=True, check=True, env=env, timeout=_TIMEOUT)
    return done.stdout.decode(errors="replace")


def read(repository: Path, revision: str, *, before: str = "") -> CommitFacts:
    """Return the facts of ``revision``; changed files are those since ``before``, or of the commit alone."""
    shown = git(repository, "log", "-1", "--format=%H%x00%an%x00%ae%x00%ct%x00%B", f"{revision}^{{commit}}", "--")
    oid, author, email, stamp, message = shown.rstrip("\n").split("\0", 4)
    files = _changed(repository, before, oid)
    return CommitFacts(oid, message.strip(), author, email, int(stamp), tuple(files))


def _changed(repository: Path, before: str, oid: str) -> list[str]:
    """A forge that no longer knows the old end lists the head commit's own files."""
    if before and before != ZERO:
        try:
            return _names(git(repository, "diff", "--name-only", "-z", before, oid, "--"))
        except subprocess.CalledProcessError:
            pass
    return _names(git(repository, "diff-tree", "--no-commit-id", "--name-only", "-r", "-z", "--root", "-m", oid))


def _names(output: str) -> list[str]:
    return list(dict.fromkeys(name for name in output.split("\0") if name))


def configs(repository: Path, oid: str, config_file: str = "") -> list[ConfigFile]:
    """Return the configuration files at a commit, in upstream's order of search; none is an empty list.

    Source: woodpecker server/services/config/forge.go, shared/constant/constant.go.
    """
    for place in [config_file] if config_file else [".woodpecker/", ".woodpecker.yaml", ".woodpecker.yml"]:
        names = _names(git(repository, "ls-tree", "-z", "--name-only", oid, "--", place))
        wanted = [name for name in names if name.endswith(_SUFFIXES) or name == config_file]
        if wanted:
            return [ConfigFile(name, git(repository, "cat-file", "blob", f"{oid}:{name}")) for name in sorted(wanted)]
    return []


def head(repository: Path, branch: str) -> str:
    """Return the oid a branch points at. CalledProcessError when there is no such branch."""
    return git(repository, "rev-parse", "--verify", "--quiet", f"refs/heads/{branch}^{{commit}}").strip()


def branches(repository: Path) -> list[str]:
    """Return the names of all branches."""
    return git(repository, "for-each-ref", "--format=%(refname:lstrip=2)", "refs/heads").split()
