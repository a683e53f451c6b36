"""The target branch as the remote has it now, for verbs that are not landing. Layer: work domain."""

from __future__ import annotations

from shlex import quote

from homelab.app import App
from homelab.errors import CredentialsError, HomelabError, NothingThere, NotLanded, Unreachable, UsageError
from homelab.git.child import Ended
from homelab.git.classify import PushClass, transport
from homelab.git.remote_end import RemoteEnd
from homelab.git.runner import reason, spoken
from homelab.outcome import Outcome
from homelab.work import target


def fetch_target(app: App, *, remote: str | None = None, into: str | None = None) -> tuple[RemoteEnd, str, str]:
    """Fetch the target; return the remote, the full ref and its commit, which is here now.

    Raises CredentialsError, Unreachable or NothingThere in git's own words.
    """
    end = RemoteEnd(app.git, app.repository.remote(remote).name)
    ref = _choose(app, end, into)
    incoming = f"refs/homelab/incoming/{app.clock.now():.6f}"
    ended = end.fetch(ref, incoming)
    if ended.code != 0:
        raise _failed(end, ref, ended)
    oid = app.git.text("rev-parse", "--verify", incoming)
    app.git.text("update-ref", "-d", incoming)
    return end, ref, oid


def _choose(app: App, end: RemoteEnd, into: str | None) -> str:
    """Choose the target in words that are not about landing."""
    try:
        return target.choose(end, app.repository, wanted=into, configured=app.settings.repository.target)
    except NotLanded as error:
        kind = {Outcome.PUSH_NETWORK: Unreachable, Outcome.PUSH_DENIED: CredentialsError}.get(error.outcome, UsageError)
        raise kind(error.what, why=error.why, fix=error.fix, details=error.details) from error


def _failed(end: RemoteEnd, ref: str, ended: Ended) -> HomelabError:
    said, why = spoken(ended), reason(ended)
    fix = f"git ls-remote {quote(end.name)}"
    name = ref.removeprefix("refs/heads/")
    if "couldn't find remote ref" in ended.err:
        return NothingThere(f"{end.url.shown} has no branch {name}", why=why, fix="name the target: --into <branch>")
    kind = CredentialsError if transport(ended.err) is PushClass.AUTH else Unreachable
    return kind(f"{name} could not be fetched from {end.url.shown}", why=why, fix=fix, details=said)
