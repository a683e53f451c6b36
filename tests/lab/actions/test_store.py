from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from homelab.lab.actions.records import Job, Run, Step, Task
from homelab.lab.actions.store import Store, latest
from homelab.lab.actions.words import Status


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with closing(Store(tmp_path)) as made:
        yield made


def run(repo_id: int = 1) -> Run:
    return Run(repo_id, "c" * 40, "refs/heads/main", "push", "ci.yml", "CI")


def test_a_run_comes_back_as_it_was(store: Store, tmp_path: Path) -> None:
    made = run()
    step = Step("Make", Status.FAILURE, started=1, stopped=2, first_line=3, last_line=4)
    made.jobs = [Job(7, "build", "build", ["lint"], ["docker"], {"go": "1"}, Status.FAILURE, steps=[step])]
    made.tasks = [Task(3, 7, "build", 1, Status.FAILURE, 1, 2)]
    store.insert(made)
    with closing(Store(tmp_path)) as again:
        assert again.run(1, made.id) == made


def test_numbers_count_in_a_repository_and_ids_everywhere(store: Store) -> None:
    made = [store.insert(run(repo_id)) for repo_id in (1, 2, 1)]
    assert [(one.id, one.number) for one in made] == [(1, 1), (2, 1), (3, 2)]
    assert [one.id for one in store.runs(1)] == [3, 1]
    assert [one.id for one in store.runs()] == [3, 2, 1]
    assert store.run(2, 1) is None


def test_everybody_holds_the_same_run(store: Store) -> None:
    made = store.insert(run())
    assert store.run(1, made.id) is made


def test_the_newest_row_of_a_context_counts(store: Store) -> None:
    for state, context in (("pending", "a"), ("success", "b"), ("failure", "a")):
        words = {"description": "", "target_url": "", "creator": "x"}
        store.add_status(1, "c" * 40, state=state, context=context, **words)
    rows = store.statuses(1, "c" * 40)
    assert [(row.context, row.state) for row in rows] == [("a", "failure"), ("b", "success"), ("a", "pending")]
    assert [(row.context, row.state) for row in latest(rows)] == [("a", "failure"), ("b", "success")]
    assert store.statuses(1, "d" * 40) == []


def test_a_branch_and_a_tag_are_named_without_what_all_begin_with() -> None:
    made = run()
    assert made.branch == "main"
    made.ref = "refs/tags/v1"
    assert made.branch == "v1"
