"""``deploy logs`` and ``deploy events``: the live revision's words, bounded and without secrets."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from homelab.deploy.logs import LinePrinted, LogsRequest, logs
from homelab.deploy.recent import recent
from homelab.errors import HttpStatus, PermissionMissing, UsageError
from homelab.events import Event
from homelab.settings.model import DeployTarget
from tests.deploy.fakes import FakeCluster
from tests.deploy.objects import deployment, event, old_pod, old_replica_set, pod, replica_set
from tests.deploy.test_wait import AFTER
from tests.fakes import FakeClock

WEB = DeployTarget("t", "web")


def cluster(clock: FakeClock, *, deny: frozenset[str] = frozenset()) -> FakeCluster:
    pods = [pod("web-new-1"), pod("web-new-2"), old_pod(deleting=True)]
    objects = {**AFTER, "deployments": [deployment(want=2)], "replicasets": [replica_set(want=2)], "pods": pods}
    objects["events"] = [
        event("web-new-1", "Started", "Started container", at=0, type_="Normal"),
        event("web-new-2", "BackOff", "token=abc failed", at=5, count=3),
        event("somebody-else", "Failed", "not ours"),
    ]
    found = FakeCluster(clock, [(0, objects)], deny=deny)
    found.log_texts["web-new-1", "app", False] = "one\nAuthorization: Bearer abc.def"
    found.log_texts["web-new-2", "app", False] = "two"
    found.log_texts["web-old-1", "app", False] = "old"
    found.log_texts["web-new-1", "app", True] = "before"
    return found


def read(found: FakeCluster, events: list[Event], request: LogsRequest) -> list[str]:
    return logs(found, WEB, request, clock=found.clock, emit=events.append).lines()


def test_only_the_live_revisions_pods_speak_and_secrets_do_not(clock: FakeClock, events: list[Event]) -> None:
    assert read(cluster(clock), events, LogsRequest()) == [
        "web-new-1/app: one",
        "web-new-1/app: Authorization: Bearer ***",
        "web-new-2/app: two",
    ]


def test_previous_reads_the_run_before_and_skips_who_had_none(clock: FakeClock, events: list[Event]) -> None:
    assert read(cluster(clock), events, LogsRequest(previous=True)) == ["before"]


def test_an_unknown_container_lists_those_there_are(clock: FakeClock, events: list[Event]) -> None:
    with pytest.raises(UsageError) as raised:
        read(cluster(clock), events, LogsRequest(container="nope"))
    assert raised.value.why == "its containers: app"


def test_the_revision_befores_pods_are_said_to_be_that(clock: FakeClock, events: list[Event]) -> None:
    found = cluster(clock)
    found.objects["replicasets"].append(old_replica_set())
    found.objects["pods"] = [old_pod()]
    assert read(found, events, LogsRequest()) == ["old"]
    assert [one.sentence() for one in events] == [
        "the live revision has no pod yet; these are the pods of the one before"
    ]


def test_many_pods_are_cut_and_that_is_said_and_the_unready_speak_first(clock: FakeClock, events: list[Event]) -> None:
    found = cluster(clock)
    found.objects["pods"] = [pod(f"web-new-{n:02}", ready_since=None if n == 11 else 0) for n in range(12)]
    for n in range(12):
        found.log_texts[f"web-new-{n:02}", "app", False] = str(n)
    lines = read(found, events, LogsRequest())
    assert (len(lines), lines[0]) == (10, "web-new-11/app: 11")
    assert [one.sentence() for one in events] == ["10 of 12 pods; kubectl logs names the others"]


def test_a_container_that_is_yet_to_start_is_followed_from_its_start(clock: FakeClock, events: list[Event]) -> None:
    class Starting(FakeCluster):
        tries = 0

        def follow(self, namespace: str, pod: str, container: str, *, tail: int = 20) -> Iterator[str]:
            self.tries += 1
            if self.tries < 3:
                raise HttpStatus("400", status=400, why='container "app" is waiting to start', fix="wait")
            yield "up"

    found = Starting(clock, [(0, {**AFTER, "pods": [pod("web-new-1")]})])
    logs(found, WEB, LogsRequest(follow=True), clock=clock, emit=events.append)
    assert [one.sentence() for one in events] == ["up"]


def test_a_server_that_fails_while_following_is_not_the_end_of_the_log(clock: FakeClock, events: list[Event]) -> None:
    class Failing(FakeCluster):
        def follow(self, namespace: str, pod: str, container: str, *, tail: int = 20) -> Iterator[str]:
            yield "one"
            raise HttpStatus("503", status=503, why="overloaded", fix="wait")

    found = Failing(clock, [(0, {**AFTER, "pods": [pod("web-new-1")]})])
    with pytest.raises(HttpStatus):
        logs(found, WEB, LogsRequest(follow=True), clock=clock, emit=events.append)


def test_forbidden_pods_say_so(clock: FakeClock, events: list[Event]) -> None:
    with pytest.raises(PermissionMissing) as raised:
        read(cluster(clock, deny=frozenset({"list pods"})), events, LogsRequest())
    assert "list pods forbidden" in raised.value.why


def test_following_prints_every_line_until_the_containers_end(clock: FakeClock, events: list[Event]) -> None:
    result = logs(cluster(clock), WEB, LogsRequest(follow=True), clock=clock, emit=events.append)
    said = sorted(one.sentence() for one in events if isinstance(one, LinePrinted))
    assert said == ["web-new-1/app: Authorization: Bearer ***", "web-new-1/app: one", "web-new-2/app: two"]
    assert result.headline == "t/web: followed 2 containers, 3 lines"


def test_events_are_ours_oldest_first_merged_and_redacted(clock: FakeClock) -> None:
    clock.sleep(65)
    lines = recent(cluster(clock), WEB, clock=clock).lines()
    assert lines == [
        "  1m  Normal   Started  Pod web-new-1: Started container",
        "  1m  Warning  BackOff x3  Pod web-new-2: token=*** failed",
    ]


def test_events_about_pods_that_only_a_random_name_tells_apart_are_one(clock: FakeClock) -> None:
    found = cluster(clock)
    found.objects["events"] = [
        event("web-new", "FailedCreate", f'pods "web-new-{name}" is forbidden', at=at, kind="ReplicaSet")
        for at, name in enumerate(("bcdfg", "hjklm", "npqrs"))
    ]
    (line,) = recent(found, WEB, clock=clock).lines()
    assert line.endswith('FailedCreate x3  ReplicaSet web-new: pods "web-new-*" is forbidden')


def test_events_may_be_limited_to_the_newest_and_to_warnings(clock: FakeClock) -> None:
    assert len(recent(cluster(clock), WEB, clock=clock, limit=1).lines()) == 1
    assert len(recent(cluster(clock), WEB, clock=clock, warnings=True).lines()) == 1


def test_forbidden_events_are_a_missing_permission(clock: FakeClock) -> None:
    with pytest.raises(PermissionMissing):
        recent(cluster(clock, deny=frozenset({"list events"})), WEB, clock=clock)
