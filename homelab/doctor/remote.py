"""Check that the git server answers for this repository. Layer: doctor."""

from __future__ import annotations

import re
from collections.abc import Iterator
from shlex import quote

from homelab.doctor.model import Finding, ok
from homelab.errors import CredentialsError, HomelabError, NothingThere, Unreachable
from homelab.git.child import Ended
from homelab.git.port import Remote
from homelab.git.runner import Git, reason, spoken

_LIMIT = 10.0
#: ``git ls-remote --exit-code`` answers this when there is no such ref.
_NO_REF = 2

# As git, OpenSSH and libcurl say it; git speaks English because its runner asks for LC_MESSAGES=C.
_DENIED = re.compile(
    r"permission denied|authentication failed|could not read (?:username|password)|host key verification failed|"
    r"access denied|invalid credentials|terminal prompts disabled|HTTP (?:401|403)|returned error: 40[13]",
    re.IGNORECASE,
)
_ABSENT = re.compile(
    r"repository .*not found|does not appear to be a git repository|not exist|returned error: 404", re.IGNORECASE
)


def remote_answers(git: Git, remote: Remote, *, limit: float = _LIMIT) -> Iterator[Finding]:
    """Ask the remote for its HEAD, without prompts, for ``limit`` seconds. Raises what keeps it from answering."""
    ended = git.run("ls-remote", "--exit-code", "--", remote.name, "HEAD", timeout=limit)
    if ended.code not in {0, _NO_REF}:
        raise _silent(remote, ended, limit)
    yield ok("remote", f"{remote.name} answers" + ("" if ended.code == 0 else "; it has no branch yet"))


def _silent(remote: Remote, ended: Ended, limit: float) -> HomelabError:
    said = spoken(ended)
    words = " ".join(said)
    what = f"{remote.name} ({remote.fetch.shown}) does not answer"
    fix = f"git ls-remote {quote(remote.name)} HEAD"
    if ended.timed_out:
        return Unreachable(what, why=f"nothing came within {limit:g} s", fix=fix)
    why = reason(ended)
    details = tuple(line for line in said if line != why)
    if _DENIED.search(words):
        return CredentialsError(f"{remote.name} does not let us in", why=why, fix=fix, details=details)
    if _ABSENT.search(words):
        return NothingThere(f"{remote.name} has no such repository", why=why, fix=fix, details=details)
    return Unreachable(what, why=why, fix=fix, details=details)
