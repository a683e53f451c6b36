"""Image references against the distribution grammar's corners and every tag scheme we know."""

from __future__ import annotations

import pytest

from homelab.deploy.reference import (
    Match,
    Wanted,
    commits_in,
    likely_commits,
    match,
    match_marked,
    match_tag,
    rewritten,
)

FULL = "0123456789abcdef0123456789abcdef01234567"
OTHER = "fedcba9876543210fedcba9876543210fedcba98"
DIGEST = "sha256:" + "a" * 64
OTHER_DIGEST = "sha256:" + "b" * 64


@pytest.mark.parametrize(
    ("tag", "expected"),
    [
        (FULL, Match.EXACT),
        (FULL.upper(), Match.EXACT),
        (FULL[:12], Match.SHORT),
        (FULL[:7], Match.SHORT),
        ("commit012345678", Match.EMBEDDED),
        ("v0123456789ab", Match.EMBEDDED),
        ("build.0123456789.1", Match.EMBEDDED),
        ("sha-0123456", Match.EMBEDDED),
        ("main-01234567-1700000000", Match.EMBEDDED),
        ("v1.2-4-g012345678", Match.EMBEDDED),
        ("0123456789ab-arm64", Match.EMBEDDED),
        (f"pr-12-{FULL}", Match.EMBEDDED),
        ("20261121", Match.NO),
        ("012345", Match.NO),
        ("x123456789abc", Match.NO),
        ("0123456789abx", Match.NO),
        ("deadbee0123456789ab", Match.NO),
        ("0123456789ab-dirty", Match.NO),
        ("dirty.0123456789ab", Match.NO),
        ("latest", Match.NO),
        ("", Match.NO),
        (f"{FULL}0", Match.NO),
        (OTHER, Match.NO),
    ],
)
def test_a_tag_names_the_commit_only_by_a_rule(tag: str, expected: Match) -> None:
    assert match_tag(tag, Wanted(oid=FULL)) is expected


@pytest.mark.parametrize("tag", ["sha-0123456", "v0123456789ab"])
def test_exact_switches_the_embedded_rule_off(tag: str) -> None:
    assert match_tag(tag, Wanted(oid=FULL, exact=True)) is Match.NO
    assert match_tag(FULL[:12], Wanted(oid=FULL, exact=True)) is Match.SHORT


@pytest.mark.parametrize(
    ("pattern", "tag", "expected"),
    [
        (r"rel_{sha7}x\d+", "rel_0123456x42", Match.PATTERN),
        (r"{sha12}z", "0123456789abz", Match.PATTERN),
        (r"{sha12}z", "fedcba987654z", Match.NO),
        (r"{sha7}", "y0123456", Match.EMBEDDED),
        (r"{sha12}.*", "0123456789ab-dirty", Match.NO),
        (r"rel-{sha7}-.*", "rel-0123456-DIRTY", Match.NO),
    ],
)
def test_a_pattern_is_matched_against_the_whole_tag(pattern: str, tag: str, expected: Match) -> None:
    assert match_tag(tag, Wanted(oid=FULL, pattern=pattern)) is expected


def test_a_digest_beside_the_tag_decides_alone() -> None:
    pinned = f"reg.example/app:{FULL}@{DIGEST}"
    assert match(pinned, Wanted(oid=FULL)) is Match.HINT
    assert match(pinned, Wanted(oid=FULL, trust_tag=True)) is Match.EXACT
    assert match(pinned, Wanted(oid=FULL, digests=frozenset({DIGEST}))) is Match.DIGEST
    assert match(pinned, Wanted(oid=FULL, digests=frozenset({OTHER_DIGEST}))) is Match.NO
    assert match(f"reg.example/app@{DIGEST}", Wanted(oid=FULL, digests=frozenset({DIGEST}))) is Match.DIGEST
    assert match(f"reg.example/app@{DIGEST}", Wanted(oid=FULL)) is Match.NO


def test_a_hint_proves_nothing() -> None:
    assert not Match.HINT.proves
    assert not Match.NO.proves
    assert Match.EMBEDDED.proves


@pytest.mark.parametrize(
    ("wanted", "have", "expected"),
    [
        ("reg.example/app:v2", "reg.example/app:v2", Match.EXACT),
        ("reg.example/app:v2", "reg.example/app:v1", Match.NO),
        ("reg.example/app:v2", "reg.example/other:v2", Match.NO),
        ("app:v2", "docker.io/library/app:v2", Match.EXACT),
        (f"reg.example/app@{DIGEST}", f"reg.example/app:v2@{DIGEST}", Match.DIGEST),
        (f"reg.example/app@{DIGEST}", f"reg.example/app:v2@{OTHER_DIGEST}", Match.NO),
        (f"reg.example/app@{DIGEST}", "reg.example/app:v2", Match.NO),
        (f"reg.example/app:v2@{DIGEST}", "reg.example/app:v2", Match.EXACT),
        ("reg.example/app:v2", f"reg.example/app:v2@{DIGEST}", Match.HINT),
    ],
)
def test_a_whole_image_is_matched_with_its_repository(wanted: str, have: str, expected: Match) -> None:
    assert match(have, Wanted(image=wanted)) is expected


@pytest.mark.parametrize(
    ("template", "live", "expected"),
    [
        ("app:1", "docker.io/library/app:1", None),
        ("docker.io/team/app:1", "mirror.example/cache/team/app:1", True),
        ("app:1", "mirror.example/app:1", True),
        ("team/app:1", "mirror.example/team/app:2", False),
        ("team/app:1", "mirror.example/steam/app:1", False),
        (f"team/app:1@{DIGEST}", f"mirror.example/team/app@{DIGEST}", True),
        (f"team/app:1@{DIGEST}", "mirror.example/team/app:1", False),
    ],
)
def test_a_mirrors_rewrite_is_told_from_another_image(template: str, live: str, *, expected: bool | None) -> None:
    assert rewritten(template, live) is expected


def test_candidates_for_a_commit_stand_alone_in_the_tag() -> None:
    assert commits_in("main-DEADBEEF01-1700000000") == ["deadbeef01", "1700000000"]
    assert commits_in("release") == []
    assert likely_commits("main-DEADBEEF01-1700000000-20261121-202611211530-20261121153000") == ["deadbeef01"]
    assert likely_commits("19991231ab") == ["19991231ab"]


@pytest.mark.parametrize(
    ("image", "mark", "expected"),
    [
        ("reg.example/app:latest", FULL, Match.MARK),
        ("reg.example/app", FULL[:12], Match.MARK),
        ("reg.example/app:latest", OTHER, Match.NO),
        ("reg.example/app:latest", f"v1-{FULL[:12]}", Match.NO),
        (f"reg.example/app:{OTHER[:12]}", FULL, Match.NO),
        ("reg.example/app:20261121", FULL, Match.MARK),
        ("reg.example/app:main-1700000000", FULL, Match.MARK),
        (f"reg.example/app@{DIGEST}", FULL, Match.NO),
        (f"reg.example/app:{FULL[:12]}", OTHER, Match.SHORT),
    ],
)
def test_a_templates_mark_speaks_only_where_the_image_is_silent(image: str, mark: str, expected: Match) -> None:
    assert match_marked(image, (mark,), Wanted(oid=FULL)) is expected
