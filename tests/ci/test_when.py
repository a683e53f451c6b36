"""Woodpecker's conditions: what plainly excludes a push is said, what may not is never concluded."""

from __future__ import annotations

import pytest

from homelab.ci.when import Push, excluded

PUSH = Push(event="push", branch="main", paths=("docs/guide.md", "README.md"), message="write")

EXCLUDED = [
    ("when:\n  event: tag\n", "wants the events tag, not push"),
    ("when:\n  event: [tag, cron]\n", "wants the events tag, cron, not push"),
    ("when:\n  - event: tag\n  - event: cron\n", "wants the events tag, not push"),
    ("when:\n  branch: release/*\n", "wants the branches release/*, not main"),
    ("when:\n  branch:\n    exclude: [main, next]\n", "wants the branches all but main, next, not main"),
    ("when:\n  event: push\n  path: src/**\n", "wants changes of src/**, not of docs/guide.md, README.md"),
    ("when:\n  path:\n    exclude: ['**/*.md', '*.md']\n", "wants changes of all but **/*.md, *.md"),
    ("steps:\n  - when: {event: tag}\n  - when: {event: cron}\n", "in every step wants the events tag, not push"),
    ("steps:\n  a:\n    when: {event: tag}\n", "in every step wants the events tag, not push"),
]
WANTED = [
    "steps: []\n",
    "when:\n  event: push\n",
    "when:\n  - event: tag\n  - branch: main\n",
    "when:\n  branch: [main, next]\n",
    "when:\n  branch: 'm{ai,ou}n'\n",
    "when:\n  branch: '**'\n",
    "when:\n  path: docs/**\n",
    "when:\n  path: '**/*.md'\n",
    "when:\n  path: '*.md'\n",
    "when:\n  path:\n    include: ['src/**']\n    ignore_message: WRITE\n",
    "when:\n  path:\n    exclude: ['docs/**']\n",
    # What is not read is taken to match.
    "when:\n  evaluate: 'CI_COMMIT_AUTHOR == \"me\"'\n",
    "when:\n  branch: '[a-l]*'\n",
    "when:\n  platform: linux/arm64\n",
    "when: true\n",
    "steps:\n  - when: {event: tag}\n  - image: bash\n",
]


@pytest.mark.parametrize(("text", "why"), EXCLUDED)
def test_a_file_that_plainly_wants_something_else_says_what(text: str, why: str) -> None:
    assert (excluded(text, PUSH) or "").startswith(why)


@pytest.mark.parametrize("text", WANTED)
def test_a_file_that_may_want_it_is_not_said_to_exclude_it(text: str) -> None:
    assert excluded(text, PUSH) == ""


@pytest.mark.parametrize("text", ["a: [", "- a\n", "words", ""])
def test_a_file_that_cannot_be_read_is_no_reason(text: str) -> None:
    assert excluded(text, PUSH) is None


def test_what_is_not_known_of_the_push_excludes_nothing() -> None:
    unknown = Push(event="push")

    assert excluded("when:\n  branch: other\n  path: src/**\n", unknown) == ""


def test_a_tags_run_is_not_held_to_a_branch_nor_a_crons_to_paths() -> None:
    text = "when:\n  branch: other\n  path: src/**\n"

    assert excluded(text, Push(event="tag", branch="main", paths=("a",))) == ""
    assert excluded("when:\n  path: src/**\n", Push(event="cron", branch="main", paths=("a",))) == ""
