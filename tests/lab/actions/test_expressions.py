from __future__ import annotations

from typing import Any

import pytest

from homelab.lab.actions.expressions import ExpressionRefused, condition, evaluate, interpolate

CONTEXT = {"github": {"ref": "refs/heads/main", "event_name": "push"}, "matrix": {"go": "1.20"}, "env": {"A": "b"}}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("github.ref", "refs/heads/main"),
        ("github.nothing.deep", None),
        ("'it''s'", "it's"),
        ("1.5", 1.5),
        ("true", True),
        ("github.event_name == 'PUSH'", True),
        ("github.event_name != 'push'", False),
        ("github.event_name == 'tag' || matrix.go == 1.20", False),
        ("github.event_name == 'tag' || matrix.go == '1.20'", True),
        ("!(env.A == 'b') && true", False),
        ("env.missing || 'default'", "default"),
        ("contains(github.ref, 'MAIN')", True),
        ("startsWith(github.ref, 'refs/tags/')", False),
        ("endsWith('a.md', '.md')", True),
    ],
)
def test_an_expression_has_its_value(text: str, expected: Any) -> None:
    assert expected == evaluate(text, CONTEXT)


@pytest.mark.parametrize("text", ["toJSON(github)", "a +", "(true", "'open", "true false", "contains('a')", "", "a[0]"])
def test_what_is_not_known_is_refused_not_guessed(text: str) -> None:
    with pytest.raises(ExpressionRefused):
        evaluate(text, CONTEXT)


def test_text_is_filled_in_and_unknown_names_are_nothing() -> None:
    assert interpolate("go ${{ matrix.go }}:${{ no.such }}!", CONTEXT) == "go 1.20:!"
    assert interpolate("${{ github.event_name == 'push' }}", CONTEXT) == "true"


@pytest.mark.parametrize(
    ("text", "failed", "cancelled", "expected"),
    [
        ("", False, False, True),
        ("", True, False, False),
        ("github.event_name == 'push'", False, False, True),
        ("github.event_name == 'push'", True, False, False),
        ("always()", True, True, True),
        ("failure()", True, False, True),
        ("failure()", False, False, False),
        ("${{ failure() && env.A == 'b' }}", True, False, True),
        ("cancelled()", False, True, True),
        ("!cancelled()", True, False, True),
        ("success() || failure()", True, False, True),
        ("", False, True, False),
    ],
)
def test_a_condition_asks_for_success_unless_it_says_otherwise(
    text: str, *, failed: bool, cancelled: bool, expected: bool
) -> None:
    assert expected is condition(text, CONTEXT, failed=failed, cancelled=cancelled)
