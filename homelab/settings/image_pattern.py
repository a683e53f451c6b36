r"""``[image] match``: which patterns a repository may give for the tag of its image.

A repository is untrusted, so its pattern must not weaken the proof (every match holds the commit) nor
hang the matcher (no repeated groups, few repetitions). What passes: literals, ``.``, classes, groups,
``\d`` and the like, and exactly one of ``{sha}``, ``{sha12}``, ``{sha7}`` outside of any choice.
Layer: settings.
"""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Any

from homelab.settings.form import UnfitError, text

_LONGEST = 200
_MOST_REPETITIONS = 3
_PLACEHOLDER = re.compile(r"\{sha(?:12|7)?\}")
#: What may stand between placeholders, piece by piece.
_PIECE = re.compile(
    r"(?P<class>\[\^?\]?(?:[^\]\\\[]|\\[dwsDWS.\-\[\]\\])+\])"
    r"|(?P<open>\((?:\?:)?(?!\?))"
    r"|(?P<close>\))"
    r"|(?P<repeat>[*+?]|\{\d{1,3}(?:,\d{0,3})?\})"
    r"|(?P<atom>\\[dwsDWS.\-+*?()\[\]{}|^$/\\]|[^\\|(){}\[\]*+?])"
)


def image_match(raw: Any) -> str:
    """Return the pattern. Raises UnfitError when it could match without the commit, or not end."""
    pattern = text(raw)
    before, sha, after = _around_the_commit(pattern)
    kinds = [*_kinds(before), "sha", *_kinds(after)]
    pairs = list(pairwise(kinds))
    if kinds[0] == "repeat" or any(
        left in ("close", "sha", "open", "repeat") and right == "repeat" for left, right in pairs
    ):
        raise _unfit("repeats a group, the commit, or nothing")
    if kinds.count("repeat") > _MOST_REPETITIONS:
        raise _unfit(f"repeats more than {_MOST_REPETITIONS} times")
    try:
        re.compile(pattern.replace(sha, "0" * 40))
    except re.error:
        raise _unfit("is no regular expression") from None
    return pattern


def _around_the_commit(pattern: str) -> tuple[str, str, str]:
    found = list(_PLACEHOLDER.finditer(pattern))
    if len(found) != 1 or len(pattern) > _LONGEST:
        raise _unfit("does not name the commit exactly once, or is too long")
    return pattern[: found[0].start()], found[0][0], pattern[found[0].end() :]


def _kinds(part: str) -> list[str]:
    kinds: list[str] = []
    at = 0
    while at < len(part):
        piece = _PIECE.match(part, at)
        if piece is None:
            raise _unfit("holds a choice, a look-around, a back-reference, or an open bracket")
        kinds.append(str(piece.lastgroup))
        at = piece.end()
    return kinds


def _unfit(what: str) -> UnfitError:
    return UnfitError(what, "a plain pattern with one of {sha}, {sha12}, {sha7}, e.g. 'main-{sha7}-[0-9]+'")
