"""What a red wait shows: little, the most telling first, and nobody's secret."""

from __future__ import annotations

from typing import Any

import pytest

from homelab.deploy.evidence import BUDGET
from homelab.deploy.redaction import redact
from homelab.errors import PermissionMissing
from homelab.events import Event
from tests.deploy.fakes import FakeCluster
from tests.deploy.objects import (
    OLD,
    Json,
    deployment,
    event,
    old_pod,
    old_replica_set,
    pod,
    progressing,
    replica_set,
    stamp,
    waiting,
)
from tests.deploy.test_wait import BEFORE, go
from tests.fakes import FakeClock


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Authorization: Bearer abc.def-1", "Authorization: Bearer ***"),
        ("authorization: basic dXNlcjpwdw==", "authorization: basic ***"),
        ("DB_PASSWORD=hunter2 next", "DB_PASSWORD=*** next"),
        ('{"api_key": "k-123", "user": "me"}', '{"api_key": "***", "user": "me"}'),
        ("token: abc", "token: ***"),
        ("the token expired", "the token expired"),
        ("nothing to hide", "nothing to hide"),
        ("to postgres://app:hunter2@db/shop", "to postgres://app:***@db/shop"),
        ("key AKIAABCDEFGHIJKLMNOP used", "key *** used"),
        ("jwt eyJhbGciOiJI.eyJzdWIiOiIx.c2ln sent", "jwt *** sent"),
    ],
)
def test_what_looks_like_a_credential_is_blotted_out(text: str, expected: str) -> None:
    assert expected == redact(text)


def noisy(clock: FakeClock) -> FakeCluster:
    """Eight pods that crash, with long messages and many warnings."""
    last = {"exitCode": 3, "reason": "Error"}
    crashing = waiting("CrashLoopBackOff", "back-off " * 40, restarts=4, last=last)
    pods = [pod(f"web-new-{n}", container=crashing, ready_since=None, created=10) for n in range(8)]
    events = [event(f"web-new-{n}", "BackOff", "Back-off restarting " * 20, at=20 + n, count=3) for n in range(8)]
    events.append(event("web-new-0", "Pulled", "fine", type_="Normal", at=99))
    objects = {
        "deployments": [deployment(want=8, counts=(8, 0, 0, 8), conditions=[progressing("ReplicaSetUpdated")])],
        "replicasets": [replica_set(want=8, available=0)],
        "pods": pods,
        "events": events,
    }
    cluster = FakeCluster(clock, [(0, BEFORE), (10, objects)])
    cluster.log_texts["web-new-0", "app", True] = "\n".join(f"line {n} " + "x" * 500 for n in range(100))
    return cluster


def test_evidence_fits_its_budget_and_keeps_the_first_and_the_last_line(clock: FakeClock, events: list[Event]) -> None:
    lines = go(noisy(clock), events).lines()
    assert sum(len(line.encode()) + 1 for line in lines) <= BUDGET
    assert lines[0].startswith("template: app=")
    assert lines[-1] == "next: homelab deploy logs t/web --previous"


def test_many_pods_alike_are_counted_not_listed(clock: FakeClock, events: list[Event]) -> None:
    lines = go(noisy(clock), events).lines()
    assert sum(line.startswith("pod web-new-") for line in lines) == 3
    assert "and 5 more like these" in lines


def test_the_whole_evidence_is_in_the_record_too(clock: FakeClock, events: list[Event]) -> None:
    result = go(noisy(clock), events)
    (target,) = result.record()["targets"]
    assert target["evidence"] == result.lines()
    assert (target["exit_code"], target["reason"], target["live"]) == (
        1,
        "crash",
        {"app": "reg.example/t/app:0123456789ab"},
    )


def crashing(clock: FakeClock, *happened: Json, **fields: Any) -> FakeCluster:
    """One pod that crashes, and what the cluster recorded."""
    last = {"exitCode": 137, "reason": "OOMKilled", "signal": 9, "finishedAt": stamp(12)}
    container = waiting("CrashLoopBackOff", "back-off", restarts=4, last=last)
    objects = {
        "deployments": [deployment(counts=(1, 0, 0, 1), conditions=[progressing("ReplicaSetUpdated")])],
        "replicasets": [replica_set(available=0), old_replica_set()],
        "pods": [pod("web-new-0", container=container, ready_since=None, created=10), old_pod()],
        "events": list(happened),
    }
    return FakeCluster(clock, [(0, BEFORE), (10, objects)], **fields)


def test_a_dead_container_is_described_by_its_signal_and_when_it_ended(clock: FakeClock, events: list[Event]) -> None:
    lines = go(crashing(clock), events).lines()
    (line,) = [line for line in lines if line.startswith("pod web-new-0")]
    assert "4 restarts, last exit 137 by signal 9 (OOMKilled)" in line
    assert line.endswith("s ago)")


def test_what_happened_to_old_pods_is_no_evidence(clock: FakeClock, events: list[Event]) -> None:
    told = [event("web-old-1", "Unhealthy", "old trouble", at=11), event("web-new-0", "BackOff", "new trouble", at=11)]
    lines = go(crashing(clock, *told), events).lines()
    assert [line for line in lines if line.startswith("event: ")] == ["event: BackOff: new trouble"]


def test_the_last_lines_of_a_log_are_kept_and_a_forbidden_log_is_said(clock: FakeClock, events: list[Event]) -> None:
    found = crashing(clock)
    found.log_texts["web-new-0", "app", True] = "\n".join(f"{n} " + "x" * 390 for n in range(20))
    lines = go(found, events).lines()
    kept = [line for line in lines if line.startswith("  ")]
    assert len(kept) < 20
    assert kept[-1].startswith("  19 ")

    class NoLogs(FakeCluster):
        def logs(self, *_args: Any, **_options: Any) -> str:
            raise PermissionMissing("not allowed", why="403", fix="ask")

    again = FakeClock()
    scenes = crashing(again).scenes
    assert "no log: get pods/log forbidden" in go(NoLogs(again, scenes), events).lines()


def test_events_that_differ_only_in_a_random_pod_name_are_one(clock: FakeClock, events: list[Event]) -> None:
    told = [
        event("web-new-0", "FailedCreate", f'pods "web-new-{name}" is forbidden: exceeded quota', at=11)
        for name in ("bcdfg", "hjklm", "npqrs")
    ]
    lines = go(crashing(clock, *told), events).lines()
    assert 'event: FailedCreate x3: pods "web-new-*" is forbidden: exceeded quota' in lines


def test_a_template_that_never_came_says_since_when_and_by_whom(clock: FakeClock, events: list[Event]) -> None:
    body = deployment(OLD, revision="1")
    body["metadata"]["managedFields"] = [
        {"manager": "kubectl-set", "time": stamp(-7200), "fieldsV1": {"f:spec": {"f:template": {}}}}
    ]
    lines = go(FakeCluster(clock, [(0, {**BEFORE, "deployments": [body]})]), events).lines()
    assert lines[0] == f"template: app={OLD}; wanted 0123456789ab, written 2h ago by kubectl-set"
