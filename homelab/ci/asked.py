"""From a verb's words to a request: which commit, on which branch, with which defaults.

Layer: ci; reads the app's settings and repository.
"""

from __future__ import annotations

import re
import sys
import webbrowser
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from homelab.app import App
from homelab.ci.change import Looking
from homelab.ci.choice import PUSH, Choice
from homelab.ci.connect import connect, connect_all
from homelab.ci.memory import FileKeeper
from homelab.ci.port import CiRepository
from homelab.ci.request import LOG_LINES, CiRequest
from homelab.errors import NothingThere, UsageError
from homelab.git.port import Repository

HEAD = "HEAD"


@dataclass(frozen=True, slots=True)
class Asked:
    """What the command line said; None where it said nothing."""

    rev: str = HEAD
    event: str | None = None
    branch: str | None = None
    number: int | None = None
    server: str | None = None
    remote: str | None = None
    timeout: float | None = None
    appear_timeout: float | None = None
    log_lines: int = LOG_LINES
    wait_approval: bool = False
    fail_fast: bool = False
    notify: str | None = None


class Asking:
    """One verb's question on its way: the servers, connected once, and the request."""

    def __init__(self, app: App, asked: Asked) -> None:
        """Connect to nothing yet."""
        self._app, self._asked = app, asked

    @cached_property
    def servers(self) -> tuple[CiRepository, ...]:
        """The repository on every CI server that serves it, or on the one that was named."""
        asked = self._asked
        return connect_all(self._app, server=asked.server, remote=asked.remote, budget=asked.timeout)

    def one(self) -> CiRepository:
        """Return the one server a change is made on. Raises UsageError where several are meant."""
        return connect(self._app, server=self._asked.server, remote=self._asked.remote)

    @cached_property
    def remote(self) -> str:
        """The remote's name."""
        return self._app.repository.remote(self._asked.remote).name

    def target(self) -> str:
        """Return the target branch: the repository's file, git, and last the server."""
        known = self._app.settings.repository.target or self._app.repository.target(self.remote)
        return known or next((name for ci in self.servers if (name := ci.facts().default_branch)), "")

    def request(self) -> CiRequest:
        """Return the request, worked out once."""
        return self._request

    @cached_property
    def _request(self) -> CiRequest:
        """Fill in what was not said: from the repository's file, the user's settings, git, and last the server.

        A push of the target branch decides where there is one. A commit that is not on the target (as
        known here) is judged by the pushes of its own branches until it lands. Raises UsageError.
        """
        asked, settings, repository = self._asked, self._app.settings, self._app.repository
        oid, target = self._oid(), self.target()
        choice = Choice(
            event=asked.event or settings.repository.ci_event or PUSH,
            branch=asked.branch or "",
            target=target,
            landed=on_branch(repository, oid, f"refs/remotes/{self.remote}/{target}"),
            number=asked.number or 0,
        )
        return CiRequest(
            oid=oid,
            rev="" if is_here(repository, oid) else oid,
            choice=choice,
            remote=self.remote,
            timeout=settings.timeouts.ci if asked.timeout is None else asked.timeout,
            appear_timeout=settings.timeouts.ci_appear if asked.appear_timeout is None else asked.appear_timeout,
            log_lines=asked.log_lines,
            wait_approval=asked.wait_approval,
            fail_fast=asked.fail_fast,
            flags=self.flags(),
            patience=self._patience(),
        )

    def _oid(self) -> str:
        """Return the commit; a run's number names its own where no other was said."""
        asked = self._asked
        if asked.number and asked.rev == HEAD:
            found = next((run for ci in self.servers if (run := ci.run(asked.number)) is not None), None)
            if found is None:
                names = ", ".join(ci.name for ci in self.servers)
                raise NothingThere(
                    f"no run #{asked.number} on {names}", why="never made, or removed", fix="homelab ci list"
                )
            return found.commit
        return commit_of(self._app.repository, asked.rev)

    def _patience(self) -> tuple[str, ...]:
        """Return the words that say how long and how to watch, for the command that continues."""
        asked = self._asked
        words: list[str] = []
        for name, seconds in (("--timeout", asked.timeout), ("--appear-timeout", asked.appear_timeout)):
            words += [name, f"{seconds:g}s"] if seconds is not None else []
        words += ["--log-lines", str(asked.log_lines)] if asked.log_lines != LOG_LINES else []
        return (*words, "--notify", asked.notify) if asked.notify is not None else tuple(words)

    def flags(self) -> tuple[str, ...]:
        """Return the words that name server and remote, as they were given."""
        flags: list[str] = []
        for name, value in (("--ci", self._asked.server), ("--remote", self._asked.remote)):
            if value is not None:
                flags += [name, value]
        return tuple(flags)

    def keeper(self) -> FileKeeper:
        """Return where this question's memory is kept."""
        request = self.request()
        names = ",".join(f"{ci.name} {ci.slug}" for ci in self.servers)
        return FileKeeper(self._app.world.state_home / "ci", f"{names} {request.oid} {request.choice}")

    def looking(self) -> Looking:
        """Return where the commit's runs are found."""
        return Looking(self.servers, self.request(), self._app.repository, self._app.clock)

    def browser(self) -> Callable[[str], bool] | None:
        """Return what shows a page to the person at the terminal; None where nobody sits."""
        world = self._app.world
        if not world.interactive or not world.stdout.isatty() or not _has_screen(world.env):
            return None
        return _browse


def _has_screen(env: Mapping[str, str]) -> bool:
    """Say whether a browser has a place to show itself: over ssh one would take the terminal."""
    return sys.platform in {"darwin", "win32"} or any(
        env.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER")
    )


def _browse(url: str) -> bool:
    """Show a page. Its address came from a server: nothing but a web page is opened."""
    return url.startswith(("https://", "http://")) and webbrowser.open(url)


def pairs(words: Sequence[str]) -> dict[str, str]:
    """Take ``NAME=VALUE`` words apart. Raises UsageError."""
    found: dict[str, str] = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not name or not equals:
            raise UsageError(f"--var {word!r} is no NAME=VALUE", why="there is no = in it", fix=f"--var {word}=VALUE")
        found[name] = value
    return found


def commit_of(repository: Repository, rev: str) -> str:
    """Return the object id of ``rev``; a full one is taken as it is, though the commit may not be here."""
    if re.fullmatch(r"[0-9a-f]{40}|[0-9a-f]{64}", rev.lower()):
        return rev.lower()
    return repository.resolve(rev)


def is_here(repository: Repository, oid: str) -> bool:
    """Say whether the commit is in the local repository."""
    try:
        return repository.resolve(oid[:12]) == oid
    except UsageError:
        return False


def on_branch(repository: Repository, oid: str, ref: str) -> bool:
    """Say whether ``oid`` is known to be in the history of ``ref``."""
    try:
        return repository.contains(repository.resolve(ref), oid) is True
    except UsageError:
        return False
