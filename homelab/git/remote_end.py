"""The other end of a push: one server's branch, fetched, asked about, and pushed to.

Everything goes to the URL that is pushed to, also where a remote fetches from a mirror: what the
push URL holds is the truth. A URL that is no remote's own travels in the environment, never in an
argument list. Layer: git adapter.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from homelab.errors import UsageError
from homelab.git import remote_url
from homelab.git.child import Ended
from homelab.git.port import RemoteUrl
from homelab.git.runner import Git

ASK_TIMEOUT = 10.0
FETCH_IDLE = 120.0
PUSH_IDLE = 300.0
_PUSH_NAME = "homelab-push"


@dataclass(frozen=True, slots=True)
class Tip:
    """What the remote said about a branch. ``reached`` False: it could not be asked."""

    reached: bool
    oid: str | None
    ended: Ended


class RemoteEnd:
    """A remote by its push URL."""

    def __init__(self, git: Git, name: str) -> None:
        """Read the URLs git would dial. Raises UsageError for one that cannot be pushed to."""
        self.git = git
        self.name = name
        self.push_urls = git.lines("remote", "get-url", "--push", "--all", "--end-of-options", name)
        fetch_urls = git.lines("remote", "get-url", "--all", "--end-of-options", name)
        self.url: RemoteUrl = remote_url.parse(self.push_urls[0])
        remote_url.require_pushable(self.url)
        self.mirrored = fetch_urls[:1] != self.push_urls[:1]
        if git.read("config", "--type=bool", "--get", f"remote.{name}.mirror").out.strip() == "true":
            raise UsageError(
                f"the remote {name} is a mirror",
                why=f"remote.{name}.mirror makes git refuse to push a single branch",
                fix="add a remote of its own for landing, or: --remote <another>",
            )

    @property
    def identity(self) -> str:
        """What names the repository behind the push URL, the same from every clone."""
        if self.url.kind == "local":
            return str((self.git.root / self.url.shown.removeprefix("file://")).resolve())
        return f"{self.url.host}:{self.url.port or ''}/{self.url.slug}".casefold()

    def fetch(self, ref: str, into: str) -> Ended:
        """Fetch one ref into ``into``, touching no tag, no submodule, no tracking branch."""
        return self.git.run(
            *("fetch", "--no-tags", "--no-recurse-submodules", "--no-write-fetch-head", "--refmap=", "--progress"),
            *("--end-of-options", self._asked, f"+{ref}:{into}"),
            timeout=None,
            idle=FETCH_IDLE,
            extra_env=self._asked_env,
            network=True,
        )

    def deepen(self, *how: str) -> Ended:
        """Fetch more history of a shallow clone."""
        return self.git.run("fetch", "--no-tags", *how, self.name, timeout=None, idle=FETCH_IDLE, network=True)

    def tip(self, ref: str, *, timeout: float = ASK_TIMEOUT) -> Tip:
        """Ask the push URL which commit ``ref`` is at."""
        ended = self.git.run(
            *("ls-remote", "--exit-code", "--end-of-options", self._asked, ref),
            timeout=timeout,
            extra_env=self._asked_env,
            network=True,
        )
        found = [line.split("\t")[0] for line in ended.out.splitlines() if line.endswith("\t" + ref)]
        if ended.code == 0 and found:
            return Tip(reached=True, oid=found[0], ended=ended)
        return Tip(reached=ended.code == 2, oid=None, ended=ended)  # noqa: PLR2004 -- ls-remote --exit-code: no match

    def head(self) -> tuple[str | None, Ended]:
        """Ask which branch is the remote's default: a full ref name, or None when it says none."""
        ended = self.git.run(
            *("ls-remote", "--symref", "--end-of-options", self._asked, "HEAD"),
            timeout=ASK_TIMEOUT,
            extra_env=self._asked_env,
            network=True,
        )
        for line in ended.out.splitlines():
            ref, _, name = line.removeprefix("ref: ").partition("\t")
            if line.startswith("ref: ") and name == "HEAD":
                return ref, ended
        return None, ended

    def push(self, refspec: str, *options: str, extra_env: Mapping[str, str] | None = None) -> Ended:
        """Push one refspec; the first signal lets it finish. The caller judges, then asks :meth:`tip`."""
        several = len(self.push_urls) > 1
        return self.git.run(
            *("push", "--porcelain", "--progress", "--no-follow-tags", *options),
            *("--end-of-options", _PUSH_NAME if several else self.name, refspec),
            timeout=None,
            idle=PUSH_IDLE,
            extra_env={**(self._env() if several else {}), **(extra_env or {})},
            network=True,
            shielded=True,
        )

    def push_to(self, url: str, refspec: str) -> Ended:
        """Push one refspec to another of the remote's push URLs."""
        return self.git.run(
            *("push", "--porcelain", "--no-follow-tags", "--end-of-options", _PUSH_NAME, refspec),
            timeout=None,
            idle=PUSH_IDLE,
            extra_env=self._env(url),
            network=True,
        )

    @property
    def _asked(self) -> str:
        return _PUSH_NAME if self.mirrored or len(self.push_urls) > 1 else self.name

    @property
    def _asked_env(self) -> Mapping[str, str]:
        return self._env() if self._asked == _PUSH_NAME else {}

    def _env(self, url: str | None = None) -> dict[str, str]:
        count = int(self.git.env.get("GIT_CONFIG_COUNT") or 0)
        return {
            "GIT_CONFIG_COUNT": str(count + 1),
            f"GIT_CONFIG_KEY_{count}": f"remote.{_PUSH_NAME}.url",
            f"GIT_CONFIG_VALUE_{count}": url or self.push_urls[0],
        }


def pre_push_hook(git: Git) -> bool:
    """Say whether an effective pre-push hook exists: an executable file, or a configured one (git 2.54)."""
    path = Path(git.text("rev-parse", "--path-format=absolute", "--git-path", "hooks/pre-push"))
    if path.is_file() and os.access(path, os.X_OK):
        return True
    return git.read("config", "--get-regexp", r"^hook\..*\.event$", "^pre-push$").code == 0
