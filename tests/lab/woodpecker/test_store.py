from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from homelab.lab.woodpecker.records import Complaint, ConfigFile, LogLine, Pipeline, Step, Workflow
from homelab.lab.woodpecker.states import State, Trigger
from homelab.lab.woodpecker.store import Filter, Store


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with closing(Store(tmp_path / "db")) as made:
        yield made


def push(**fields: object) -> Pipeline:
    return Pipeline(1, Trigger.PUSH, "c" * 40, "main", "refs/heads/main", **fields)  # type: ignore[arg-type]


def full() -> Pipeline:
    step = Step(5, 2, 1, "build", "commands", "u", State.FAILURE, exit_code=2, started=1, finished=2)
    flow = Workflow(4, 1, "ci", State.FAILURE, environ={"GO": "1"}, steps=[step])
    made = push(status=State.FAILURE, cancel_info={"superseded_by": 3}, variables={"A": "b"}, workflows=[flow])
    made.errors = [Complaint("linter", "odd", is_warning=True)]
    return made


def test_a_pipeline_comes_back_as_it_was(store: Store, tmp_path: Path) -> None:
    made = store.insert(full())
    with closing(Store(tmp_path / "db")) as again:
        assert again.pipeline(1, 1) == made


def test_numbers_count_in_a_repository_and_ids_everywhere(store: Store) -> None:
    first, other, second = push(), push(), push()
    other.repo_id = 2
    for made in (first, other, second):
        store.insert(made)
    assert [(one.id, one.number) for one in (first, other, second)] == [(1, 1), (2, 1), (3, 2)]


def test_a_deleted_number_returns_under_a_new_id(store: Store) -> None:
    gone = store.insert(push())
    store.keep_configs(gone, [ConfigFile("a", "b")])
    store.delete(gone)
    assert store.pipeline(1, 1) is None
    assert store.configs(gone) == []
    back = store.insert(push())
    assert (back.number, back.id) == (1, 2)


def test_saving_a_deleted_pipeline_does_not_bring_it_back(store: Store) -> None:
    gone = store.insert(push())
    store.delete(gone)
    store.save(gone)
    assert store.pipeline(1, 1) is None


def test_everybody_holds_the_same_object(store: Store) -> None:
    made = store.insert(push())
    assert store.pipeline(1, 1) is made
    assert store.pipelines(1, Filter(), limit=9, offset=0)[0] is made


def test_active_are_those_that_may_still_move_oldest_first(store: Store) -> None:
    kept = [store.insert(push(status=state)) for state in State]
    assert [one.status for one in store.active()] == [State.PENDING, State.BLOCKED, State.RUNNING]
    assert len(kept) == len(State)


def test_counters_never_go_back(store: Store, tmp_path: Path) -> None:
    assert store.next_id("step") == 1
    with closing(Store(tmp_path / "db")) as again:
        assert [again.next_id("step"), again.next_id("workflow")] == [2, 1]


def test_log_lines_stay_in_the_order_they_came(store: Store) -> None:
    for number in (2, 1, 1):
        store.append_log([LogLine(0, 7, number, 0, b"\xff")])
    assert [(one.line, one.data) for one in store.log(7)] == [(2, b"\xff"), (1, b"\xff"), (1, b"\xff")]
    store.delete_log(7)
    assert store.log(7) == []
