"""Runs git for everything that changes something or reaches out.

Argument lists, never a shell; a scrubbed environment; no prompts where nobody can answer; its own
process group; deadlines; redacted errors. Layer: git adapter, above ``child`` and ``environment``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from homelab.errors import GitFailed
from homelab.git import child, environment
from homelab.git.child import Ended
from homelab.git.output import Chunk
from homelab.git.redact import redact

LOCAL_TIMEOUT = 120.0
_STDERR_LINES = 20
#: What git adds below whatever ssh or a helper said.
_ANY_CAUSE = "fatal: Could not read from remote repository."
_ADVICE = ("Please make sure you have the correct access rights", "and the repository exists.")
#: Reads must neither refresh the index nor ask a file-system monitor that a repository configured.
READING = ("--no-optional-locks", "-c", "core.fsmonitor=false")
#: A background clean-up started by our own command would outlive it.
_ALWAYS = ("-c", "maintenance.auto=false", "-c", "gc.auto=0")


class Git:
    """git in one folder. ``run`` never judges; ``text`` and ``lines`` raise GitFailed."""

    def __init__(self, root: Path, *, env: Mapping[str, str], interactive: bool = False) -> None:
        """``interactive`` leaves git the terminal for its prompts."""
        self.root = root
        self.interactive = interactive
        self.env = dict(env)
        self._git_env = environment.for_git(env, interactive=interactive)

    def at(self, root: Path) -> Git:
        """Return the same git in another folder."""
        return Git(root, env=self.env, interactive=self.interactive)

    def order(
        self, *arguments: str, extra_env: Mapping[str, str] | None = None, timeout: float | None = LOCAL_TIMEOUT
    ) -> child.Order:
        """Return how ``git <arguments>`` would be run here."""
        env = {**self._git_env, **(extra_env or {})}
        return child.Order(argv=("git", *_ALWAYS, *arguments), cwd=self.root, env=env, timeout=timeout)

    def run(
        self,
        *arguments: str,
        timeout: float | None = LOCAL_TIMEOUT,
        idle: float | None = None,
        stdin: bytes = b"",
        extra_env: Mapping[str, str] | None = None,
        network: bool = False,
        shielded: bool = False,
        on_chunk: Chunk | None = None,
    ) -> Ended:
        """Run git and return how it ended, whatever its exit code.

        ``network`` commands may ask a person for a password where there is one. Raises GitFailed
        only where git itself is not there.
        """
        order = replace(
            self.order(*arguments, extra_env=extra_env, timeout=timeout),
            idle=idle,
            stdin=stdin,
            own_session=not (network and self.interactive),
            shielded=shielded,
            on_chunk=on_chunk,
        )
        try:
            return child.run(order)
        except (FileNotFoundError, NotADirectoryError, PermissionError) as missing:
            raise _cannot_start(self.root, missing) from missing

    def read(self, *arguments: str, stdin: bytes = b"") -> Ended:
        """Run a reading command, which takes no lock and starts no monitor."""
        return self.run(*READING, *arguments, stdin=stdin)

    def text(self, *arguments: str, stdin: bytes = b"", extra_env: Mapping[str, str] | None = None) -> str:
        """Return standard output without its last newline. Raises GitFailed on any exit but 0."""
        ended = self.run(*arguments, stdin=stdin, extra_env=extra_env)
        if ended.code != 0:
            raise failed(ended)
        return ended.out.removesuffix("\n")

    def lines(self, *arguments: str) -> list[str]:
        """Return standard output's lines. Raises GitFailed on any exit but 0."""
        return self.text(*READING, *arguments).splitlines()

    def records(self, *arguments: str) -> list[str]:
        """Return standard output split at NUL. Raises GitFailed on any exit but 0."""
        return [record for record in self.text(*READING, *arguments).split("\0") if record]


def spoken(ended: Ended) -> tuple[str, ...]:
    """Return the last lines git said on stderr, redacted, without progress meters."""
    said = [line.rpartition("\r")[2].rstrip() for line in redact(ended.err).split("\n")]
    return tuple(line for line in said if line)[-_STDERR_LINES:]


def reason(ended: Ended) -> str:
    """Return why git failed, in one line of its own: the last one that it does not say for every cause alike."""
    if ended.timed_out:
        return "it ran out of time"
    said = [line for line in spoken(ended) if line not in _ADVICE]
    return next(
        (line for line in reversed(said) if line != _ANY_CAUSE), said[-1] if said else f"exit code {ended.code}"
    )


def shown(arguments: Sequence[str]) -> str:
    """Return a command as it may be shown: our own switches left out, secrets too."""
    words = list(arguments)
    while len(words) > 1 and (words[1] in {"-c", "--no-optional-locks"}):
        del words[1 : 3 if words[1] == "-c" else 2]
    return redact(" ".join(words))


def failed(ended: Ended, *, fix: str = "homelab doctor") -> GitFailed:
    """Return the error for a git command that should not have failed, in git's own words."""
    return GitFailed(f"{shown(ended.argv)} failed", why=reason(ended), fix=fix, details=spoken(ended))


def _cannot_start(root: Path, missing: OSError) -> GitFailed:
    if not root.is_dir():
        return GitFailed(f"{root} is gone", why="the folder no longer exists", fix="cd into a clone and run again")
    return GitFailed("git could not be started", why=str(missing.strerror), fix="install git 2.38 or newer")
