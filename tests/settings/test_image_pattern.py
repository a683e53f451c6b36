from __future__ import annotations

import pytest

from homelab.settings.form import UnfitError
from homelab.settings.image_pattern import image_match


@pytest.mark.parametrize(
    "pattern",
    [
        "{sha}",
        "main-{sha7}",
        "v[0-9]+-{sha12}",
        r"{sha7}\.\d{1,4}",
        "(main|)-{sha}"[:0] + "(?:a)-{sha}",
        "^{sha}$",
        "[^-]*-{sha}",
    ],
)
def test_plain_patterns_that_hold_the_commit_pass(pattern: str) -> None:
    assert image_match(pattern) == pattern


@pytest.mark.parametrize(
    "pattern",
    [
        ".*",
        "latest",
        "{sha}|.*",
        "(?:{sha}|.*)",
        "{sha}?",
        "({sha})?",
        "({sha})*",
        "({sha}){0}",
        "[{sha}]+",
        "[a{sha7}b]",
        r"\{sha}",
        "(?!{sha}).*",
        "(?i){sha}",
        "{sha}{sha7}",
        "(a+)+{sha}",
        "(a*)*{sha}",
        "a*a*a*a*{sha}",
        r"(a)\1{sha}",
        "*{sha}",
        "a**{sha}",
        "({sha}",
        "{sha})",
        "[z-a]{sha}",
        "x" * 300 + "{sha}",
        7,
    ],
)
def test_a_pattern_that_could_match_without_the_commit_or_not_end_is_refused(pattern: object) -> None:
    with pytest.raises(UnfitError):
        image_match(pattern)
