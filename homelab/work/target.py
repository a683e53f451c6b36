"""Which branch of the remote a land goes to. Asks the remote: only it is current.

Layer: work domain.
"""

from __future__ import annotations

from homelab.errors import NotLanded
from homelab.git.classify import PushClass, transport
from homelab.git.port import Repository
from homelab.git.remote_end import RemoteEnd
from homelab.git.runner import reason, spoken
from homelab.outcome import Outcome


def choose(end: RemoteEnd, repository: Repository, *, wanted: str | None, configured: str | None) -> str:
    """Return the full ref: the flag, git configuration, the repository file, the remote's own default.

    Raises NotLanded where none of them says; main and master are never guessed.
    """
    for name in (wanted, repository.config("homelab.target"), configured):
        if name:
            return full(end, name)
    ref, ended = end.head()
    if ref:
        return ref
    known = repository.target(end.name)
    if ended.code != 0 and known is None:
        kind = transport(ended.err)
        raise NotLanded(
            f"{end.url.shown} could not be asked for its default branch",
            why=reason(ended),
            fix="check the remote with: git ls-remote --symref <remote> HEAD; or name the branch: --into <branch>",
            details=spoken(ended),
            outcome=Outcome.PUSH_DENIED if kind is PushClass.AUTH else Outcome.PUSH_NETWORK,
        )
    if known is None:
        raise NotLanded(
            f"{end.url.shown} names no default branch",
            why="the remote is empty, or its HEAD points at no branch",
            fix="name it: --into <branch> (and --create-target for a new one), or git config homelab.target <branch>",
        )
    return f"refs/heads/{known}"


def full(end: RemoteEnd, name: str) -> str:
    """Return ``refs/heads/<name>``. Raises NotLanded for what git takes for no branch name."""
    short = name.removeprefix("refs/heads/")
    if short.startswith("-") or end.git.run("check-ref-format", f"refs/heads/{short}").code != 0:
        raise NotLanded(
            f"{name!r} is no branch name",
            why="git refuses it (git check-ref-format)",
            fix="--into <branch>",
            outcome=Outcome.USAGE,
        )
    return f"refs/heads/{short}"
