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
    """Return one status a context: the newest."""
    return tuple(_status(row) for row in newest_rows(rows))


def newest_rows(rows: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return one row a context, the one with the highest id, in the order the contexts came."""
    found: dict[str, Mapping[str, Any]] = {}
    for row in rows:
        known = found.setdefault(_context(row), row)
        if _id(row) > _id(known):
            found[_context(row)] = row
    return list(found.values())


def _context(row: Mapping[str, Any]) -> str:
    return str(row.get("context") or row.get("name") or "")


def _id(row: Mapping[str, Any]) -> int:
    number = row.get("id")
    return number if isinstance(number, int) else 0


def _status(row: Mapping[str, Any]) -> CommitStatus:
    """Gitea says ``status`` and ``context``, GitHub ``state`` and ``context``, GitLab ``status`` and ``name``."""
    return CommitStatus(
        context=_context(row),
        mark=mark(row.get("status") or row.get("state")),
        url=str(row.get("target_url") or ""),
        description=str(row.get("description") or ""),
        id=_id(row),
    )
