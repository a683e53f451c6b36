from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from homelab.lab.woodpecker.states import Trigger
from homelab.lab.woodpecker.when import ConditionError, Facts, fits, is_skip_message, parse

PUSH = Facts(
    Trigger.PUSH, branch="main", ref="refs/heads/main", repo="lab/shop", changed_files=("src/a.py", "docs/b.md")
)
TAG = Facts(Trigger.TAG, branch="", ref="refs/tags/v1", repo="lab/shop")


@pytest.mark.parametrize(
    ("raw", "facts", "expected"),
    [
        (None, PUSH, True),
        ({"event": "push"}, PUSH, True),
        ({"event": ["tag", "push"]}, PUSH, True),
        ({"event": "tag"}, PUSH, False),
        ({"branch": "main"}, PUSH, True),
        ({"branch": "release/*"}, PUSH, False),
        ({"branch": {"exclude": "main"}}, PUSH, False),
        ({"branch": {"include": ["m*"], "exclude": "next"}}, PUSH, True),
        ({"branch": "main", "event": "push"}, PUSH, True),
        ({"branch": "main", "event": "tag"}, PUSH, False),
        ([{"branch": "x"}, {"event": "push"}], PUSH, True),
        ([{"branch": "x"}, {"event": "tag"}], PUSH, False),
        ({"path": "src/**"}, PUSH, True),
        ({"path": "web/**"}, PUSH, False),
        ({"path": ["web/**", "docs/*.md"]}, PUSH, True),
        ({"path": {"exclude": "docs/**"}}, PUSH, True),
        ({"path": {"exclude": ["docs/**", "src/**"]}}, PUSH, False),
        ({"path": {"include": "src/**", "exclude": "docs/**"}}, PUSH, True),
        ({"path": {"include": "web/**", "ignore_message": "[all]"}}, replace(PUSH, message="x [ALL]"), True),
        ({"path": "web/**"}, replace(PUSH, changed_files=()), True),
        ({"path": {"include": "web/**", "on_empty": False}}, replace(PUSH, changed_files=()), False),
        ({"path": "web/**"}, TAG, True),
        ({"branch": "main"}, TAG, True),
        ({"ref": "refs/tags/v*"}, TAG, True),
        ({"ref": "refs/tags/v*"}, PUSH, False),
        ({"repo": "other/*"}, PUSH, False),
        ({"cron": "nightly"}, PUSH, True),
        ({"cron": "nightly"}, replace(PUSH, event=Trigger.CRON, cron="hourly"), False),
        ({"platform": "linux/arm64"}, PUSH, False),
        ({"matrix": {"GO": "1.20"}}, replace(PUSH, matrix={"GO": "1.20"}), True),
        ({"matrix": {"GO": "1.20"}}, replace(PUSH, matrix={"GO": "1.21"}), False),
    ],
    ids=str,
)
def test_a_condition_decides_as_upstream_does(raw: Any, facts: Facts, *, expected: bool) -> None:
    assert expected is parse(raw).match(facts)


def test_a_matrix_condition_does_not_bind_a_whole_workflow() -> None:
    assert parse({"matrix": {"GO": "1.20"}}).match(PUSH, whole_workflow=True)


@pytest.mark.parametrize(
    ("raw", "success", "failure"),
    [
        (None, True, False),
        ({"event": "push"}, True, False),
        ({"status": "failure"}, False, True),
        ({"status": ["success", "failure"]}, True, True),
        ([{"event": "tag", "status": "failure"}, {"event": "push"}], True, False),
        ([{"event": "push", "status": "failure"}, {"event": "push"}], True, True),
    ],
    ids=str,
)
def test_status_says_after_what_a_step_runs(raw: Any, *, success: bool, failure: bool) -> None:
    when = parse(raw)
    assert (success, failure) == (when.on_success(PUSH), when.on_failure(PUSH))


@pytest.mark.parametrize(
    "raw", ["push", {"evaluate": "true"}, {"brunch": "main"}, {"event": {"include": "push"}}, {"matrix": "x"}], ids=str
)
def test_what_cannot_be_read_is_said(raw: Any) -> None:
    with pytest.raises(ConditionError):
        parse(raw)


@pytest.mark.parametrize(
    ("pattern", "word", "expected"),
    [
        ("*", "main", True),
        ("*", "a/b", False),
        ("**", "a/b", True),
        ("a/**", "a/b/c", True),
        ("**/c", "c", True),
        ("**/c", "a/b/c", True),
        ("a/**/c", "a/c", True),
        ("?", "ab", False),
        ("v[0-9]*", "v1.2", True),
        ("[!a]b", "ab", False),
        ("{main,next}", "next", True),
        ("{main,rel/*}", "rel/1", True),
        ("a.b", "axb", False),
        ("", "", True),
    ],
)
def test_globs_match_as_doublestar_does(pattern: str, word: str, *, expected: bool) -> None:
    assert expected is fits(pattern, word)


@pytest.mark.parametrize(
    ("message", "skipped"),
    [
        ("Fix [skip ci]", True),
        ("Fix [CI SKIP]", True),
        ("[ci  skip]", True),
        ("[skipci]", True),
        ("[skip-ci]", False),
        ("skip ci", False),
        ("[no ci]", False),
    ],
)
def test_the_message_can_ask_for_no_pipeline(message: str, *, skipped: bool) -> None:
    assert skipped is is_skip_message(Trigger.PUSH, message)


def test_a_tag_does_not_listen_to_the_message() -> None:
    assert not is_skip_message(Trigger.TAG, "[skip ci]")
