"""The work queue."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from homelab.lab.kubernetes.controllers.loop import Loop, Name
from homelab.lab.kubernetes.kinds import CONFIG_MAP
from homelab.lab.kubernetes.refusals import bad_request
from homelab.lab.kubernetes.store import Change, Store
from tests.fakes import FakeClock


class Counting:
    """Counts its looks; answers or raises what it was told."""

    name = "counting"

    def __init__(self) -> None:
        self.looks: list[str] = []
        self.answer: float | None = None
        self.error: Exception | None = None

    def concerns(self, change: Change) -> Iterable[Name]:
        return [(change.item["metadata"]["namespace"], change.item["metadata"]["name"])]

    def reconcile(self, namespace: str, name: str) -> float | None:
        self.looks.append(name)
        if self.error:
            raise self.error
        return self.answer


@pytest.fixture
def store(clock: FakeClock) -> Store:
    return Store(clock.now)


@pytest.fixture
def counting() -> Counting:
    return Counting()


@pytest.fixture
def loop(store: Store, counting: Counting) -> Loop:
    return Loop(store, [counting])


def change(store: Store, name: str = "one", **data: str) -> None:
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": "demo"}, "data": data}
    if store.find(CONFIG_MAP, "demo", name):
        store.update(CONFIG_MAP, body)
    else:
        store.create(CONFIG_MAP, body)


def test_many_changes_of_one_object_are_one_look(store, counting, loop):
    for number in range(5):
        change(store, number=str(number))
    loop.step()
    assert counting.looks == ["one"]
    assert loop.next_due() is None


def test_a_controller_is_called_again_when_it_asked_to_be(store, counting, loop, clock):
    counting.answer = 5.0
    change(store)
    loop.step()
    assert loop.next_due() == clock.now() + 5.0
    loop.step()
    assert len(counting.looks) == 1
    clock.sleep(5.0)
    counting.answer = None
    loop.step()
    assert len(counting.looks) == 2


def test_a_later_answer_replaces_an_earlier_one(store, counting, loop, clock):
    counting.answer = 100.0
    change(store)
    loop.step()
    counting.answer = 5.0
    change(store, a="b")
    loop.step()
    assert loop.next_due() == clock.now() + 5.0
    clock.sleep(5.0)
    counting.answer = None
    loop.step()
    assert loop.next_due() is None


@pytest.mark.parametrize("error", [bad_request("no"), ValueError("bug")])
def test_a_failed_look_is_tried_again_later_and_later(store, counting, loop, clock, error):
    counting.error = error
    change(store)
    waits = []
    for _ in range(4):
        loop.step()
        due = loop.next_due()
        waits.append(round(due - clock.now(), 3))
        clock.sleep(due - clock.now())
    assert waits == [0.1, 0.2, 0.4, 0.8]


def test_a_frozen_controller_keeps_its_work_for_later(store, counting, loop):
    loop.frozen = {"counting"}
    change(store)
    loop.step()
    assert counting.looks == []
    assert loop.next_due() is None
    loop.frozen = set()
    loop.step()
    assert counting.looks == ["one"]


def test_one_step_does_no_more_than_asked(store, counting, loop):
    for name in ("one", "two", "three"):
        change(store, name)
    assert loop.step(2) is True
    assert len(counting.looks) == 2
    assert loop.step(2) is False
