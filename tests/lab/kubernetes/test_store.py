"""The store: versions, conflicts, and what it remembers."""

from __future__ import annotations

import pytest

from homelab.lab.kubernetes.kinds import CONFIG_MAP
from homelab.lab.kubernetes.refusals import Refusal
from homelab.lab.kubernetes.store import REMEMBERED, Store


@pytest.fixture
def store() -> Store:
    return Store(lambda: 1_700_000_000.0)


def config_map(name: str = "one", **data: str) -> dict:
    meta = {"name": name, "namespace": "demo"}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": data}


def test_every_write_has_a_higher_version_than_the_one_before(store):
    first = store.create(CONFIG_MAP, config_map("one"))
    second = store.create(CONFIG_MAP, config_map("two"))
    third = store.update(CONFIG_MAP, config_map("one", a="b"))
    assert [item["metadata"]["resourceVersion"] for item in (first, second, third)] == ["2", "3", "4"]


def test_a_new_object_gets_a_uid_and_a_time(store):
    meta = store.create(CONFIG_MAP, config_map())["metadata"]
    assert len(meta["uid"]) == 36
    assert meta["creationTimestamp"] == "2023-11-14T22:13:20Z"


def test_a_taken_name_is_refused(store):
    store.create(CONFIG_MAP, config_map())
    with pytest.raises(Refusal, match='configmaps "one" already exists') as refusal:
        store.create(CONFIG_MAP, config_map())
    assert refusal.value.code == 409


def test_a_stale_version_is_refused(store):
    old = store.create(CONFIG_MAP, config_map())
    store.update(CONFIG_MAP, config_map(a="b"))
    with pytest.raises(Refusal, match="the object has been modified") as refusal:
        store.update(CONFIG_MAP, old)
    assert refusal.value.reason == "Conflict"


def test_an_update_that_changes_nothing_is_no_change(store):
    before = store.create(CONFIG_MAP, config_map(a="b"))
    changes = []
    store.subscribe(changes.append)
    assert store.update(CONFIG_MAP, config_map(a="b")) == before
    assert changes == []


def test_what_was_handed_in_is_not_what_is_kept(store):
    body = config_map(a="b")
    store.create(CONFIG_MAP, body)
    body["data"]["a"] = "changed"
    assert store.get(CONFIG_MAP, "demo", "one")["data"] == {"a": "b"}


def test_a_deletion_is_a_change_with_a_version_of_its_own(store):
    store.create(CONFIG_MAP, config_map())
    store.remove(CONFIG_MAP, "demo", "one")
    (change,) = store.since(2)
    assert (change.type, change.version) == ("DELETED", 3)
    assert store.find(CONFIG_MAP, "demo", "one") is None


def test_changes_after_a_version_are_remembered(store):
    for name in ("one", "two", "three"):
        store.create(CONFIG_MAP, config_map(name))
    assert [change.item["metadata"]["name"] for change in store.since(2)] == ["two", "three"]


def test_a_forgotten_version_is_gone(store):
    store.create(CONFIG_MAP, config_map())
    store.forget()
    with pytest.raises(Refusal, match="too old resource version: 2") as refusal:
        store.since(2)
    assert (refusal.value.code, refusal.value.reason) == (410, "Expired")


def test_the_past_is_forgotten_in_the_end(store):
    store.create(CONFIG_MAP, config_map())
    for number in range(REMEMBERED + 10):
        store.update(CONFIG_MAP, config_map(number=str(number)))
    with pytest.raises(Refusal):
        store.since(2)
    assert store.since(store.version) == []


def test_a_listener_that_left_hears_nothing(store):
    changes = []
    leave = store.subscribe(changes.append)
    leave()
    store.create(CONFIG_MAP, config_map())
    assert changes == []


def test_a_list_is_in_order_and_of_one_namespace(store):
    for name in ("b", "a"):
        store.create(CONFIG_MAP, config_map(name))
    other = config_map("c")
    other["metadata"]["namespace"] = "other"
    store.create(CONFIG_MAP, other)
    assert [item["metadata"]["name"] for item in store.list(CONFIG_MAP, "demo")] == ["a", "b"]
    assert len(store.list(CONFIG_MAP)) == 3
