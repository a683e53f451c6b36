"""The wait over virtual time: what it says, when it ends, what it asks. The cluster is a list of scenes."""

from __future__ import annotations

from dataclasses import replace

import pytest

from homelab.deploy.digests import Digests
from homelab.deploy.events import PodTroubled, ReferenceAwaited, ReferenceNamed, WorkloadReplaced
from homelab.deploy.judgement import Proof, State
from homelab.deploy.reference import Wanted
from homelab.deploy.request import DeployResult, WaitRequest
from homelab.deploy.terms import Beside
from homelab.deploy.wait import wait
from homelab.errors import PermissionMissing, Unreachable, UsageError
from homelab.events import Event
from homelab.outcome import Outcome
from homelab.settings.model import DeployTarget
from tests.deploy.fakes import FakeCluster, Objects, typed
from tests.deploy.objects import (
    FULL,
    NEWER,
    OLD,
    WANTED,
    deployment,
    event,
    image,
    old_pod,
    old_replica_set,
    pod,
    progressing,
    replica_set,
    running,
    waiting,
)
from tests.deploy.test_digests import Paper
from tests.fakes import FakeClock

REQUEST = WaitRequest(targets=(DeployTarget("t", "web"),), wanted=Wanted(oid=FULL))

BEFORE: Objects = {
    "deployments": [deployment(OLD, revision="1", generation=4)],
    "replicasets": [replica_set(OLD, name="web-old", revision="1")],
    "pods": [old_pod()],
}
MOVING: Objects = {
    "deployments": [deployment(counts=(1, 1, 1, 2), conditions=[progressing("ReplicaSetUpdated")])],
    "replicasets": [replica_set(available=0), old_replica_set(want=1, available=1)],
    "pods": [pod(container=running(ready=False), ready_since=None, created=10), old_pod()],
}
AFTER: Objects = {
    "deployments": [deployment()],
    "replicasets": [replica_set(), old_replica_set()],
    "pods": [pod(ready_since=20, created=10)],
}
PULL_TEXT = f'rpc error: code = NotFound desc = failed to resolve reference "{WANTED}": {WANTED}: not found'
UNPULLABLE: Objects = {
    **MOVING,
    "pods": [pod(container=waiting("ErrImagePull", PULL_TEXT), ready_since=None, created=10, phase="Pending")],
    "events": [event("web-new-1", "Failed", f'Failed to pull image "{WANTED}": {PULL_TEXT}', at=11)],
}


def go(cluster: FakeCluster, events: list[Event], request: WaitRequest = REQUEST) -> DeployResult:
    return wait(typed(cluster), request, clock=cluster.clock, emit=events.append)


def said(events: list[Event]) -> list[str]:
    return [event.sentence() for event in events if not event.detail]


def test_a_green_wait_says_wanted_against_live_the_change_and_the_proof(clock: FakeClock, events: list[Event]) -> None:
    result = go(FakeCluster(clock, [(0, BEFORE), (10, MOVING), (20, AFTER)]), events)
    assert said(events) == [
        "wants 0123456789ab, template has fedcba987654",
        "template names 0123456789ab, revision 2",
    ]
    assert (result.outcome, result.headline) == (Outcome.DONE, "t/web: complete 1/1, proof: pods")
    assert result.lines() == []


def test_an_overall_deadline_counts_from_the_begin_not_from_the_templates_change(
    clock: FakeClock, events: list[Event]
) -> None:
    request = replace(REQUEST, timeout=15.0, reference_timeout=15.0, overall=True)
    result = go(FakeCluster(clock, [(0, BEFORE), (10, MOVING)]), events, request)
    assert (result.outcome, round(clock.elapsed)) == (Outcome.PENDING, 15)


def test_an_overall_deadline_holds_where_no_template_names_the_image(clock: FakeClock, events: list[Event]) -> None:
    request = replace(REQUEST, timeout=3.0, reference_timeout=3.0, overall=True)
    assert go(FakeCluster(clock, [(0, BEFORE)]), events, request).outcome is Outcome.NOTHING
    assert 3 <= clock.elapsed <= 4


def test_a_finished_rollout_must_stay_so(clock: FakeClock, events: list[Event]) -> None:
    go(FakeCluster(clock, [(0, BEFORE), (10, MOVING), (20, AFTER)]), events)
    assert 30 <= clock.elapsed <= 33


def test_without_a_hold_it_ends_at_the_first_look_that_proves_it(clock: FakeClock, events: list[Event]) -> None:
    result = go(FakeCluster(clock, [(0, AFTER)]), events, replace(REQUEST, stable_for=0.0))
    assert (result.outcome, clock.elapsed) == (Outcome.DONE, 0.0)


def test_an_image_that_cannot_be_pulled_is_named_long_before_the_verdict(clock: FakeClock, events: list[Event]) -> None:
    times = {}

    def emit(one: Event) -> None:
        events.append(one)
        times.setdefault(type(one), clock.elapsed)

    cluster = FakeCluster(clock, [(0, BEFORE), (10, UNPULLABLE)])
    result = wait(cluster, REQUEST, clock=clock, emit=emit)
    assert times[PodTroubled] <= 13
    assert f"{WANTED}: ErrImagePull: not found" in said(events)
    assert result.outcome is Outcome.RED
    assert 40 <= clock.elapsed <= 44
    assert result.headline == f"t/web: image-missing: {WANTED}: ErrImagePull: not found"


def test_a_red_wait_shows_evidence_with_the_next_command_last(clock: FakeClock, events: list[Event]) -> None:
    result = go(FakeCluster(clock, [(0, BEFORE), (10, UNPULLABLE)]), events)
    lines = result.lines()
    assert lines[0] == f"template: app={WANTED}"
    assert lines[-1] == "next: check that CI pushed this tag, then: homelab ci status"
    assert any(line.startswith("pod web-new-1 on node-1") for line in lines)
    assert sum(len(line) + 1 for line in lines) <= 2500


def test_a_crash_shows_the_log_of_the_run_that_crashed(clock: FakeClock, events: list[Event]) -> None:
    last = {"exitCode": 3, "reason": "Error"}
    looping = waiting("CrashLoopBackOff", "back-off", restarts=3, last=last)
    scene = {**MOVING, "pods": [pod(container=looping, ready_since=None, created=10), old_pod()]}
    cluster = FakeCluster(clock, [(0, BEFORE), (10, scene)])
    cluster.log_texts["web-new-1", "app", True] = "starting\nAuthorization: Bearer abc.def\nno database"
    result = go(cluster, events)
    assert result.headline == "t/web: crash: app exit 3, 3 restarts"
    assert "  no database" in result.lines()
    assert "abc.def" not in "\n".join(result.lines())


def test_nothing_is_asked_about_pods_before_the_template_names_the_image(clock: FakeClock, events: list[Event]) -> None:
    cluster = FakeCluster(clock, [(0, BEFORE)])
    result = go(cluster, events)
    assert result.outcome is Outcome.NOTHING
    assert not [path for path in cluster.asked if "pods" in path or "replicasets" in path]


def test_the_reference_budget_ends_the_wait_on_time(clock: FakeClock, events: list[Event]) -> None:
    go(FakeCluster(clock, [(0, BEFORE)]), events)
    assert 300 <= clock.elapsed <= 301


def test_a_workload_that_appears_during_the_wait_is_followed(clock: FakeClock, events: list[Event]) -> None:
    result = go(FakeCluster(clock, [(0, {}), (30, AFTER)]), events)
    assert said(events)[0] == "wants 0123456789ab, no such workload yet"
    assert result.outcome is Outcome.DONE


def test_a_replaced_object_is_said_and_followed(clock: FakeClock, events: list[Event]) -> None:
    fresh = {
        "deployments": [deployment(uid="dep-2")],
        "replicasets": [replica_set(owned="dep-2")],
        "pods": [pod(ready_since=20)],
    }
    result = go(FakeCluster(clock, [(0, MOVING), (10, fresh)]), events)
    assert result.outcome is Outcome.DONE
    assert [type(one) for one in events if not one.detail] == [ReferenceNamed, WorkloadReplaced, ReferenceNamed]


def test_with_get_on_the_workload_alone_it_still_proves_by_counters(clock: FakeClock, events: list[Event]) -> None:
    deny = frozenset({"list replicasets", "list pods", "list events", "list deployments"})
    result = go(FakeCluster(clock, [(0, BEFORE), (10, AFTER)], deny=deny), events)
    assert (result.outcome, result.targets[0].proof) == (Outcome.DONE, Proof.COUNTERS)
    assert "no replicasets proof: list replicasets forbidden" in result.targets[0].skipped
    assert said(events).count("no replicasets proof: list replicasets forbidden") == 1


def test_without_get_on_the_workload_it_ends_at_once(clock: FakeClock, events: list[Event]) -> None:
    with pytest.raises(PermissionMissing):
        go(FakeCluster(clock, [(0, BEFORE)], deny=frozenset({"get deployments"})), events)
    assert clock.elapsed == 0.0


def unanswered(_path: str) -> None:
    raise Unreachable("fake: no answer", why="connection refused", fix="look")


def test_a_server_that_restarts_is_borne(clock: FakeClock, events: list[Event]) -> None:
    cluster = FakeCluster(clock, [(0, BEFORE), (60, AFTER)])
    cluster.fail = lambda path: unanswered(path) if 20 < clock.elapsed < 80 else None
    assert go(cluster, events).outcome is Outcome.DONE
    assert "fake: no answer; still trying" in said(events)


def test_a_server_that_stays_away_is_unreachable(clock: FakeClock, events: list[Event]) -> None:
    cluster = FakeCluster(clock, [(0, BEFORE)])
    cluster.fail = lambda path: unanswered(path) if clock.elapsed > 20 else None
    with pytest.raises(Unreachable):
        go(cluster, events)
    assert clock.elapsed < 160


def test_several_targets_must_all_succeed(clock: FakeClock, events: list[Event]) -> None:
    second = deployment(OLD, revision="1", uid="two")
    second["metadata"]["name"] = "two"
    scene = {**AFTER, "deployments": [deployment(), second]}
    both = replace(REQUEST, targets=(DeployTarget("t", "web"), DeployTarget("t", "two")))
    result = go(FakeCluster(clock, [(0, scene)]), events, both)
    assert result.outcome is Outcome.NOTHING
    assert [target.state for target in result.targets] == [State.COMPLETE, State.REFERENCE_TIMEOUT]
    assert result.headline.startswith("1/2 targets done; t/two: the template never named")


def test_an_unknown_container_is_a_usage_error(clock: FakeClock, events: list[Event]) -> None:
    request = replace(REQUEST, targets=(DeployTarget("t", "web", container="nope"),))
    with pytest.raises(UsageError, match="no such container"):
        go(FakeCluster(clock, [(0, AFTER)]), events, request)


def test_what_is_live_is_said_again_only_when_it_changes(clock: FakeClock, events: list[Event]) -> None:
    other = {**BEFORE, "deployments": [deployment("reg.example/t/app:1.2", generation=6)]}
    go(FakeCluster(clock, [(0, BEFORE), (50, other), (100, AFTER)]), events)
    awaited = [one.live for one in events if isinstance(one, ReferenceAwaited)]
    assert awaited == ["fedcba987654", "1.2"]


def test_a_pod_that_runs_and_is_not_ready_is_mentioned_after_half_a_minute(
    clock: FakeClock, events: list[Event]
) -> None:
    when: list[float] = []

    def emit(one: Event) -> None:
        events.append(one)
        if isinstance(one, PodTroubled):
            when.append(clock.elapsed)

    probing = event("web-new-1", "Unhealthy", "Readiness probe failed: HTTP 503", at=12)
    slow = {**MOVING, "events": [probing]}
    wait(FakeCluster(clock, [(0, BEFORE), (10, slow), (60, AFTER)]), REQUEST, clock=clock, emit=emit)
    assert "app: not ready: Readiness probe failed: HTTP 503" in said(events)
    assert len(when) == 1
    assert 40 <= when[0] <= 44


def test_a_controller_that_does_not_look_is_said_after_half_a_minute(clock: FakeClock, events: list[Event]) -> None:
    unseen = {**MOVING, "deployments": [deployment(counts=(1, 1, 1, 1), observed=4)]}
    go(FakeCluster(clock, [(0, BEFORE), (10, unseen), (60, AFTER)]), events)
    assert "its controller has not seen generation 5" in said(events)
    quick: list[Event] = []
    go(FakeCluster(FakeClock(), [(0, BEFORE), (10, unseen), (30, AFTER)]), quick)
    assert "its controller has not seen generation 5" not in said(quick)


def test_a_commit_that_contains_ours_is_found_by_asking_and_only_said_where_unknown(
    clock: FakeClock, events: list[Event]
) -> None:
    newer = {
        "deployments": [deployment(image(NEWER), revision="3")],
        "replicasets": [replica_set(image(NEWER), revision="3")],
        "pods": [pod(img=image(NEWER))],
    }
    for answer, code in ((True, Outcome.DONE), (False, Outcome.SUPERSEDED), (None, Outcome.SUPERSEDED)):
        request = replace(
            REQUEST, newer_ok=True, beside=Beside(lambda text, a=answer: a if text == image(NEWER) else False)
        )
        moving = FakeClock()
        result = go(FakeCluster(moving, [(0, MOVING), (10, newer)]), events, request)
        assert (result.outcome, "not known here" in result.headline) == (code, answer is None)


def test_a_registrys_answer_is_part_of_the_result(clock: FakeClock, events: list[Event]) -> None:
    paper = Paper(error=Unreachable("reg.example cannot be reached", why="no route", fix="homelab doctor"))
    request = replace(REQUEST, beside=Beside(registry=Digests(paper, start=lambda work: work())))
    result = go(FakeCluster(clock, [(0, AFTER)]), events, request)
    assert (result.outcome, result.targets[0].proof) == (Outcome.DONE, Proof.PODS)
    assert result.targets[0].skipped == ("no digest proof: reg.example cannot be reached",)
    assert said(events) == ["template names 0123456789ab, revision 2"]


def test_a_volume_that_does_not_come_shows_its_claims(clock: FakeClock, events: list[Event]) -> None:
    claim = [{"persistentVolumeClaim": {"claimName": "data"}}]
    waits = {"ready": False, "restartCount": 0, "state": {"waiting": {"reason": "ContainerCreating"}}}
    stuck = {
        **MOVING,
        "pods": [pod(container=waits, ready_since=None, phase="Pending", created=10, volumes=claim)],
        "events": [event("web-new-1", "FailedMount", "timed out waiting for the volume", at=12)],
        "persistentvolumeclaims": [{"metadata": {"name": "data"}, "status": {"phase": "Lost"}}],
    }
    result = go(FakeCluster(clock, [(0, BEFORE), (10, stuck)]), events)
    assert result.targets[0].reason == "volume"
    assert "claim data: Lost" in result.lines()


def test_a_mirror_in_front_of_the_registry_is_said_and_accepted(clock: FakeClock, events: list[Event]) -> None:
    mirrored = f"mirror.example/cache/{WANTED.partition('/')[2]}"
    scene = {**AFTER, "pods": [pod(img=mirrored, ready_since=-60)]}
    assert go(FakeCluster(clock, [(0, scene)]), events).outcome is Outcome.DONE
    assert f"pods run a mirror's image: {WANTED} -> {mirrored}" in [one.sentence() for one in events]


def test_a_template_that_names_a_newer_commit_is_not_said_to_name_the_wanted_one(
    clock: FakeClock, events: list[Event]
) -> None:
    contained = Beside(lambda image: image == OLD, None)
    request = replace(REQUEST, newer_ok=True, beside=contained)
    result = go(FakeCluster(clock, [(0, BEFORE)]), events, request)
    assert result.outcome is Outcome.DONE
    assert said(events) == ["template names fedcba987654, which contains 0123456789ab, revision 1"]
