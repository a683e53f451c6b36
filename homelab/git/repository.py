"""Asks a repository without changing it, through GitPython's command layer with literal arguments.

GitPython's object layer reads files that newer repositories no longer have (sha256, reftable,
worktree configuration); its ``git.Git`` runs git itself and so sees what git sees.
Layer: git adapter.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from homelab.errors import GitFailed, UsageError
from homelab.git import environment, remote_choice, remote_url
from homelab.git.port import Commit, Remote
from homelab.git.redact import redact

if TYPE_CHECKING:
    import git

_READING = ("--no-optional-locks", "-c", "core.fsmonitor=false", "-c", "log.showSignature=false")


def open_repository(cwd: Path, env: Mapping[str, str]) -> GitRepository:
    """Return the repository around ``cwd``. Raises UsageError with git's own words where there is none."""
    return GitRepository(cwd, env)


class Plumbing:
    """``git.Git`` in one folder, with the environment the runner would give it."""

    def __init__(self, cwd: Path, env: Mapping[str, str]) -> None:
        """Start nothing yet but the library."""
        self._git = _library(cwd)
        self._env = environment.for_git({**env, "GIT_NO_LAZY_FETCH": "1"}, interactive=False)
        # GitPython copies the process's own environment; what is set there must go, not be emptied.
        unset = (*environment.LOCAL, *environment.LANGUAGE)
        self._prefix = ["env", *(part for name in unset for part in ("-u", name)), "LC_MESSAGES=C", "git", *_READING]

    def run(self, *arguments: str) -> tuple[int, bytes, str]:
        """Return exit code, standard output and redacted standard error."""
        from git.exc import GitCommandError, GitCommandNotFound

        env = {name: value for name, value in self._env.items() if name != "LC_MESSAGES"}
        try:
            code, out, err = self._git.execute(
                [*self._prefix, *arguments],
                with_extended_output=True,
                with_exceptions=False,
                stdout_as_string=False,
                strip_newline_in_stdout=False,
                env=env,
            )
        except (GitCommandNotFound, GitCommandError) as missing:
            raise GitFailed("git could not be started", why=str(missing), fix="install git 2.38 or newer") from missing
        return int(code), _bytes(out), redact(_bytes(err).decode("utf-8", "replace"))

    def text(self, *arguments: str) -> str | None:
        """Return standard output without its last newline, or None on any exit but 0."""
        code, out, _ = self.run(*arguments)
        return out.decode("utf-8", "replace").removesuffix("\n") if code == 0 else None


class GitRepository:
    """A local repository; implements :class:`homelab.git.port.Repository`.

    In a bare repository, or inside ``.git``, ``root`` is the git folder itself.
    """

    def __init__(self, cwd: Path, env: Mapping[str, str]) -> None:
        """Find the repository around ``cwd``. Raises UsageError where git finds none."""
        self._ask = Plumbing(cwd, env)
        code, out, err = self._ask.run(
            "rev-parse", "--path-format=absolute", "--absolute-git-dir", "--git-common-dir", "--show-toplevel"
        )
        places = [Path(line) for line in out.decode("utf-8", "surrogateescape").splitlines()]
        if len(places) < 2:  # noqa: PLR2004 -- git prints the two git folders before it looks for a worktree
            raise _no_repository(cwd, code, err)
        self.git_dir, self.common_dir = places[0], places[1]
        _refuse_committed(self.git_dir, env)
        self.has_worktree = code == 0 and len(places) == 3  # noqa: PLR2004 -- all three answers
        self.root = places[2] if self.has_worktree else places[0]

    def remotes(self) -> Sequence[Remote]:
        """Return the remotes git can dial without a helper, in the order git lists them."""
        found = []
        for name in self._remote_urls():
            try:
                found.append(self._remote(name))
            except UsageError:
                continue
        return found

    def remote(self, wanted: str | None = None) -> Remote:
        """Choose the remote; see :func:`homelab.git.remote_choice.choose`."""
        name = remote_choice.choose(tuple(self._remote_urls()), wanted=wanted, branch=self.branch(), config=self.config)
        return self._remote(name)

    def branch(self) -> str | None:
        """Return the current branch's short name; None when detached. An unborn branch has a name too."""
        full = self._ask.text("symbolic-ref", "--quiet", "HEAD")
        return full.removeprefix("refs/heads/") if full else None

    def resolve(self, rev: str) -> str:
        """Return the commit oid of ``rev``. Raises UsageError when it names none."""
        found = None
        if rev and not rev.startswith("-"):
            found = self._ask.text("rev-parse", "--verify", "--quiet", "--end-of-options", rev + "^{commit}")
        if not found:
            raise UsageError(
                f"{rev!r} names no commit here",
                why=f"git knows no such revision in {self.root}",
                fix="git log --oneline -10, then name one of them; or git fetch first",
            )
        return found.splitlines()[-1]

    def commit(self, oid: str) -> Commit:
        """Return the commit. Raises UsageError when it is not here."""
        full = self.resolve(oid)
        shape = "--format=%H%x00%ct%x00%an%x00%s%x00%b"
        text = self._ask.text("log", "-1", "--no-notes", "--encoding=UTF-8", shape, "--end-of-options", full) or ""
        name, committed, author, subject, body = text.split("\0", 4)
        return Commit(oid=name, subject=subject, body=body.strip("\n"), author=author, committed=int(committed))

    def contains(self, descendant: str, ancestor: str) -> bool | None:
        """Say whether ``ancestor`` is in ``descendant``'s history; None when that cannot be known here."""
        code, _, _ = self._ask.run("merge-base", "--is-ancestor", "--", ancestor, descendant)
        if code == 0:
            return True
        if code == 1 and self._ask.text("rev-parse", "--is-shallow-repository") == "false":
            return False
        return None

    def has_path(self, oid: str, path: str) -> bool:
        """Say whether ``path`` exists in the tree of ``oid``."""
        return self._ask.run("cat-file", "-e", f"{oid}:{path}")[0] == 0

    def entries(self, oid: str, path: str) -> Sequence[str]:
        """Return the names directly below the folder ``path`` at ``oid``; none where it is no folder there."""
        return _names(self._ask.run("ls-tree", "-z", "--name-only", f"{oid}:{path}"))

    def changed(self, oid: str, *, since: str = "") -> Sequence[str] | None:
        """Return the paths that differ between ``since`` (else its first parent) and ``oid``; None where not known."""
        parents = (
            [since] if since else (self._ask.text("log", "-1", "--format=%P", "--end-of-options", oid) or "").split()
        )
        before = [parents[0], oid] if parents else ["--root", oid]
        code, out, said = self._ask.run("diff-tree", "-r", "-z", "--no-commit-id", "--name-only", *before, "--")
        shallow = not parents and self._ask.text("rev-parse", "--is-shallow-repository") != "false"
        return None if code or shallow else _names((code, out, said))

    def text(self, oid: str, path: str) -> str | None:
        """Return the file's text at ``oid``, or None."""
        code, out, _ = self._ask.run("cat-file", "blob", f"{oid}:{path}")
        return out.decode("utf-8", "replace") if code == 0 else None

    def target(self, remote: str) -> str | None:
        """Return the remote's default branch as last seen here, or None; a dangling one is none."""
        prefix = f"refs/remotes/{remote}/"
        full = self._ask.text("symbolic-ref", "--quiet", prefix + "HEAD")
        if not full or not full.startswith(prefix) or not self._ask.text("rev-parse", "--verify", "--quiet", full):
            return None
        return full.removeprefix(prefix)

    def config(self, key: str) -> str | None:
        """Return a git configuration value, or None."""
        return self._ask.text("config", "--get", "--end-of-options", key) if "." in key else None

    def _remote_urls(self) -> dict[str, dict[str, str]]:
        """Return each remote's first fetch and push URL as git would dial them."""
        found: dict[str, dict[str, str]] = {}
        for line in (self._ask.text("remote", "-v") or "").splitlines():
            name, tab, rest = line.partition("\t")
            # A partial clone's line goes on after the role: "(fetch) [blob:none]".
            kind = "push" if rest.endswith(" (push)") else "fetch"
            url = rest.rpartition(f" ({kind})")[0]
            if tab and url:
                found.setdefault(name, {}).setdefault(kind, url)
        return found

    def _remote(self, name: str) -> Remote:
        urls = self._remote_urls()[name]
        fetch, push = urls.get("fetch", urls.get("push", "")), urls.get("push", urls.get("fetch", ""))
        return Remote(name=name, fetch=remote_url.parse(fetch), push=remote_url.parse(push))


def _names(ended: tuple[int, bytes, str]) -> Sequence[str]:
    """Return the NUL-ended names git printed, none where it failed."""
    code, out, _ = ended
    return [] if code else [name for name in out.decode("utf-8", "surrogateescape").split("\0") if name]


def _bytes(stream: object) -> bytes:
    return stream if isinstance(stream, bytes) else str(stream).encode()


def _library(cwd: Path) -> git.Git:
    try:
        from git import Git  # loaded with the first question
    except ImportError as missing:
        raise GitFailed(
            "git could not be started", why=str(missing).strip().splitlines()[0], fix="install git 2.38 or newer"
        ) from missing
    return Git(cwd)


def _refuse_committed(git_dir: Path, env: Mapping[str, str]) -> None:
    """Refuse a git folder that another repository tracks: its configuration came with a clone, and runs commands.

    Only ``.git`` cannot be committed; git itself finds any folder that looks like a bare repository.
    """
    if ".git" in git_dir.parts:
        return
    around = next((folder for folder in git_dir.parents if os.path.lexists(folder / ".git")), None)
    if around and Plumbing(around, env).text("--icase-pathspecs", "ls-files", "--", str(git_dir)):
        raise UsageError(
            f"{git_dir} is a repository among the files of another one",
            why="whoever wrote those files chose the commands its configuration runs",
            fix=f"cd {shlex.quote(str(around))}",
        )


def _no_repository(cwd: Path, code: int, err: str) -> UsageError:
    said = tuple(line for line in err.strip().splitlines() if line)
    why = " ".join(" ".join(said[:2]).split()) if said else f"git ended with {code}"
    fix = f"cd into a clone, or: homelab -C <clone> … ({cwd} is none)"
    if "dubious ownership" in err:
        fix = f"look who owns {cwd}; if you trust it, run the git config command above yourself"
    elif "extension" in err or "repository format version" in err.lower():
        fix = "install a git that knows this repository's format: git --version"
    return UsageError("no usable git repository here", why=why, fix=fix, details=said if len(said) > 2 else ())  # noqa: PLR2004 -- two lines are the why
