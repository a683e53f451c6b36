"""What a red wait shows: little, the most telling first, and nobody's secret."""

from __future__ import annotations

import pytest

from homelab.deploy.evidence import BUDGET
from homelab.deploy.redaction import redact
from homelab.events import Event
from tests.deploy.fakes import FakeCluster
from tests.deploy.objects import deployment, event, pod, progressing, replica_set, waiting
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
