"""Image references compared with each other, and matched against a commit. Pure.

Layer: a leaf of the deploy domain; the grammar is the registry package's.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from enum import StrEnum

from homelab.registry.reference import parse

#: Fewer digits of a commit than this prove nothing.
SHORTEST = 7

_HEX_RUN = re.compile(r"(?<![0-9a-f])[0-9a-f]{7,64}(?![0-9a-z])")
#: A day or a moment written in digits: hexadecimal as it looks, no builder means a commit by it.
_TIME = re.compile(r"(?:19|20)\d{6}(?:\d{4}|\d{6})?|1\d{9}")
_DIRTY = re.compile(r"(?:^|[^0-9a-z])dirty(?:$|[^0-9a-z])")


class Match(StrEnum):
    """How a reference names the wanted commit or image."""

    EXACT = "exact"
    SHORT = "exact-short"
    EMBEDDED = "embedded"
    PATTERN = "pattern"
    DIGEST = "digest"
    #: The tag names no commit; a label or annotation of the template does.
    MARK = "mark"
    #: The tag says so, but a digest stands beside it and decides alone, and nobody told us the digest.
    HINT = "hint"
    NO = "no"

    @property
    def proves(self) -> bool:
        """Say whether the reference is proven to be the wanted one."""
        return self not in (Match.HINT, Match.NO)


def rewritten(template: str, live: str) -> bool | None:
    """Say whether ``live`` is ``template`` through a mirror: None for equal, True for a mirror's, False for another.

    Admission webhooks put a pull-through registry in front; the path then ends in the original one.
    """
    one, other = parse(template), parse(live)
    if one == other:
        return None
    original = one.path.removeprefix("library/")
    suffix = other.path == original or other.path.endswith(f"/{original}")
    return suffix and (other.digest == one.digest if one.digest else other.tag == one.tag)


@dataclass(frozen=True, slots=True)
class Wanted:
    """The version to look for: a commit (``oid``, full) or a whole reference (``image``); digests that prove it."""

    oid: str = ""
    image: str = ""
    #: Digests known to be the wanted content.
    digests: frozenset[str] = frozenset()
    #: Regular expression over the whole tag, ``{sha}``, ``{sha12}`` and ``{sha7}`` filled in.
    pattern: str = ""
    #: Only the full commit or a prefix of it as the tag; no commit embedded in a longer tag.
    exact: bool = False
    #: Take the tag's word where a digest stands beside it.
    trust_tag: bool = False

    @property
    def shown(self) -> str:
        """The wanted version as a sentence names it."""
        return self.oid[:12] if self.oid else self.image


def match(text: str, wanted: Wanted) -> Match:
    """Say how the reference ``text`` names ``wanted``; the repository is compared only for a whole image."""
    have = parse(text)
    digests = wanted.digests
    if wanted.image:
        want = parse(wanted.image)
        if have.repository != want.repository:
            return Match.NO
        digests = digests | ({want.digest} if want.digest else frozenset())
        by_tag = Match.EXACT if (have.tag or "latest") == (want.tag or "latest") and want.tag else Match.NO
        if want.digest and not want.tag and not have.digest:
            return Match.NO
    else:
        by_tag = match_tag(have.tag, wanted)
    if not have.digest:
        return by_tag
    if digests:
        return Match.DIGEST if have.digest in digests else Match.NO
    if by_tag is Match.NO or wanted.trust_tag:
        return by_tag
    return Match.HINT


def match_marked(text: str, marks: tuple[str, ...], wanted: Wanted) -> Match:
    """Say how a template's container names ``wanted``: by its image, else by the template's own revision mark.

    A mark counts only beside a tag that names no commit and no digest: it never outvotes an image.
    """
    found = match(text, wanted)
    have = parse(text)
    if found is not Match.NO or not wanted.oid or have.digest or likely_commits(have.tag):
        return found
    exact = replace(wanted, exact=True, pattern="")
    return Match.MARK if any(match_tag(mark, exact).proves for mark in marks) else Match.NO


def match_tag(tag: str, wanted: Wanted) -> Match:
    """Say how a tag names the wanted commit, by the first rule that applies."""
    lowered, full = tag.lower(), wanted.oid.lower()
    if not tag or not full:
        return Match.NO
    if lowered == full:
        return Match.EXACT
    if len(lowered) >= SHORTEST and full.startswith(lowered):
        return Match.SHORT
    if _DIRTY.search(lowered):
        return Match.NO
    if wanted.pattern and re.fullmatch(_filled(wanted.pattern, full), tag, re.IGNORECASE):
        return Match.PATTERN
    embedded = any(full.startswith(run) for run in commits_in(tag))
    return Match.EMBEDDED if embedded and not wanted.exact else Match.NO


def _filled(pattern: str, full: str) -> str:
    return pattern.replace("{sha}", full).replace("{sha12}", full[:12]).replace("{sha7}", full[:SHORTEST])


def commits_in(tag: str) -> list[str]:
    """Return every text in ``tag`` that could be a commit: hex runs of 7 to 64 digits that stand alone."""
    return _HEX_RUN.findall(tag.lower())


def likely_commits(tag: str) -> list[str]:
    """Return the texts in ``tag`` that are meant to be a commit: those of :func:`commits_in` that are no date."""
    return [run for run in commits_in(tag) if not _TIME.fullmatch(run)]
