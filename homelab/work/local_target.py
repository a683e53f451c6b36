"""The target branch as it is known here, without asking anybody. Layer: work domain."""

from __future__ import annotations

from dataclasses import dataclass

from homelab.app import App
from homelab.errors import UsageError


@dataclass(frozen=True, slots=True)
class LocalTarget:
    """What is known of the target: its remote and short name, and the newest commit seen of it."""

    remote: str | None
    name: str | None
    #: "" when no commit of it is here.
    oid: str = ""
    #: True when the name is a guess.
    guessed: bool = False


def known(app: App, *, remote: str | None = None, into: str | None = None) -> LocalTarget:
    """Return the target by flag, configuration, or as last seen; main or master is a guess that says so."""
    repository = app.repository
    try:
        chosen = repository.remote(remote).name
    except UsageError:
        if remote is not None:
            raise
        return LocalTarget(None, into)
    name = into or repository.config("homelab.target") or app.settings.repository.target or repository.target(chosen)
    if name:
        return LocalTarget(chosen, name, _newest(app, chosen, name))
    for guess in ("main", "master", "trunk"):
        oid = _newest(app, chosen, guess)
        if oid:
            return LocalTarget(chosen, guess, oid, guessed=True)
    return LocalTarget(chosen, None)


def _newest(app: App, remote: str, name: str) -> str:
    """Return the newer of git's tracking branch and our own memory of the target."""
    found = ""
    for ref in (f"refs/remotes/{remote}/{name}", f"refs/homelab/seen/{remote}/{name}"):
        oid = app.git.read("rev-parse", "--verify", "--quiet", f"{ref}^{{commit}}").out.strip()
        if oid and (not found or app.git.read("merge-base", "--is-ancestor", found, oid).code == 0):
            found = oid
    return found
