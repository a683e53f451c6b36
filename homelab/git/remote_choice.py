"""Which remote a verb means when several are configured. Pure.

Layer: git adapter.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from shlex import quote

from homelab.errors import UsageError

_USUAL = ("forgejo", "origin")


def choose(names: Sequence[str], *, wanted: str | None, branch: str | None, config: Callable[[str], str | None]) -> str:
    """Return the flag's remote, the configured one, the branch's, ``forgejo``, ``origin``, or the only one.

    The branch's is where git itself would push: its pushRemote, then ``remote.pushDefault``, then
    its upstream. Raises UsageError that lists the remotes.
    """
    if not names:
        raise UsageError(
            "this repository has no remote",
            why="landing, CI and deploys are all found through one",
            fix="git remote add origin <url>",
        )
    for value, origin in ((wanted, "--remote"), (config("homelab.remote"), "git config homelab.remote")):
        if value is not None:
            if value not in names:
                raise _unknown(names, f"{origin} names {value!r}, which is no remote here")
            return value
    for name in (*_of_branch(branch, config), *_USUAL):
        if name in names:
            return name
    if len(names) == 1:
        return names[0]
    raise _unknown(names, "several remotes, and none is chosen")


def _of_branch(branch: str | None, config: Callable[[str], str | None]) -> list[str]:
    keys = ["remote.pushDefault"]
    if branch:
        keys = [f"branch.{branch}.pushRemote", *keys, f"branch.{branch}.remote"]
    return [value for key in keys if (value := config(key))]


def _unknown(names: Sequence[str], what: str) -> UsageError:
    return UsageError(
        what,
        why="the remotes here: " + ", ".join(names),
        fix=f"add --remote {quote(names[0])}, or for good: git config homelab.remote {quote(names[0])}",
    )
