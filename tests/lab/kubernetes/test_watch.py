"""One watch, read on an event loop."""

from __future__ import annotations

import asyncio
import json

import pytest

from homelab.lab.kubernetes.kinds import CONFIG_MAP
from homelab.lab.kubernetes.refusals import Refusal
from homelab.lab.kubernetes.requests import Options, read_options
from homelab.lab.kubernetes.store import Store
from homelab.lab.kubernetes.watch import Watch


def config_map(name: str, **labels: str) -> dict:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": "demo", "labels": labels}}


@pytest.fixture
def store() -> Store:
    store = Store(lambda: 0.0)
    store.create(CONFIG_MAP, config_map("one", app="web"))
    return store


def watch(store: Store, options: Options) -> Watch:
    return Watch(store, CONFIG_MAP, "demo", options, lambda item: item)


def read(store: Store, options: Options, act=lambda _: None) -> list[tuple[str, str]]:
    """Type and name of each event until the watch is cut; ``act`` happens while it is open."""

    async def collect() -> list[tuple[str, str]]:
        open_watch = watch(store, options)
        act(open_watch)
        open_watch.cut()
        events = [json.loads(line) async for line in open_watch.lines()]
        open_watch.close()
        return [(event["type"], event["object"].get("metadata", {}).get("name", "")) for event in events]

    return asyncio.run(collect())


def test_without_a_version_a_watch_begins_with_what_is_there(store):
    assert read(store, Options()) == [("ADDED", "one")]


def test_a_version_means_what_came_after_it(store):
    store.create(CONFIG_MAP, config_map("two"))
    assert read(store, Options(version="2")) == [("ADDED", "two")]


def test_changes_come_while_the_watch_is_open(store):
    def act(_: Watch) -> None:
        store.update(CONFIG_MAP, config_map("one", app="api"))
        store.remove(CONFIG_MAP, "demo", "one")

    assert read(store, Options(version="2"), act) == [("MODIFIED", "one"), ("DELETED", "one")]


def test_entering_and_leaving_a_selection_are_added_and_deleted(store):
    def act(_: Watch) -> None:
        store.update(CONFIG_MAP, config_map("one", app="api"))
        store.update(CONFIG_MAP, config_map("one", app="web"))

    assert read(store, Options(version="2", labels="app=web"), act) == [("DELETED", "one"), ("ADDED", "one")]


def test_other_namespaces_are_not_seen(store):
    def act(_: Watch) -> None:
        other = config_map("other")
        other["metadata"]["namespace"] = "elsewhere"
        store.create(CONFIG_MAP, other)

    assert read(store, Options(version="2"), act) == []


def test_a_watch_that_times_out_ends_with_a_bookmark_for_who_wants_one(store):
    async def kinds(*, bookmarks: bool) -> list[str]:
        open_watch = watch(store, Options(version="2", bookmarks=bookmarks, timeout=0.02))
        return [json.loads(line)["type"] async for line in open_watch.lines()]

    assert asyncio.run(kinds(bookmarks=True)) == ["BOOKMARK"]
    assert asyncio.run(kinds(bookmarks=False)) == []


def test_a_silenced_watch_says_nothing(store):
    def act(open_watch: Watch) -> None:
        open_watch.silenced = True
        store.create(CONFIG_MAP, config_map("two"))

    assert read(store, Options(version="2"), act) == []


def test_an_expired_watch_ends_with_an_error(store):
    assert read(store, Options(version="2"), Watch.expire) == [("ERROR", "")]


def test_a_closed_watch_stops_listening(store):
    async def run() -> int:
        open_watch = watch(store, Options(version="2"))
        open_watch.close()
        store.create(CONFIG_MAP, config_map("two"))
        open_watch.cut()
        return len([line async for line in open_watch.lines()])

    assert asyncio.run(run()) == 0


@pytest.mark.parametrize(("query", "code"), [({"resourceVersion": "x"}, 400), ({"sendInitialEvents": "true"}, 400)])
def test_a_watch_that_makes_no_sense_is_refused(store, query, code):
    async def run() -> None:
        watch(store, read_options({"watch": "true", **query}))

    with pytest.raises(Refusal) as refusal:
        asyncio.run(run())
    assert refusal.value.code == code


def test_a_forgotten_version_is_refused(store):
    store.forget()

    async def run() -> None:
        watch(store, Options(version="2"))

    with pytest.raises(Refusal, match="too old resource version"):
        asyncio.run(run())
