"""From a forge's JSON to commit statuses, of each context the newest. Pure. Layer: forge.

Sources: gitea modules/structs/status.go, forgejo likewise; GitHub REST "commit statuses"; GitLab
"commits" API, app/models/commit_status.rb.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from homelab.forge.model import CommitStatus, Mark

#: GitLab's words for what the others call pending, success and failure.
_WORDS = {
    **dict.fromkeys(("created", "waiting_for_resource", "preparing", "running", "scheduled"), Mark.PENDING),
    **dict.fromkeys(("waiting_for_callback", "manual", "canceling"), Mark.PENDING),
    "failed": Mark.FAILURE,
    "canceled": Mark.FAILURE,
    **{mark.value: mark for mark in Mark},
}


def mark(word: object) -> Mark:
    """Return the mark a forge's word means; ``UNKNOWN`` for one we do not know."""
    return _WORDS.get(str(word).lower(), Mark.UNKNOWN)


def newest(rows: Iterable[Mapping[str, Any]]) -> tuple[CommitStatus, ...]:
    """Return one status a context, the one with the highest id, in the order the contexts came."""
    found: dict[str, CommitStatus] = {}
    for row in rows:
        status = _status(row)
        known = found.get(status.context)
        if known is None or status.id > known.id:
            found[status.context] = status
    return tuple(found.values())


def _status(row: Mapping[str, Any]) -> CommitStatus:
    """Gitea says ``status`` and ``context``, GitHub ``state`` and ``context``, GitLab ``status`` and ``name``."""
    number = row.get("id")
    return CommitStatus(
        context=str(row.get("context") or row.get("name") or ""),
        mark=mark(row.get("status") or row.get("state")),
        url=str(row.get("target_url") or ""),
        description=str(row.get("description") or ""),
        id=number if isinstance(number, int) else 0,
    )
