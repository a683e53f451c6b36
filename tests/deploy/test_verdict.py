"""The verdict over snapshots: every state that fooled a tool once, as a row. Times count from the wait's begin."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from homelab.deploy import pod_shape
from homelab.deploy.judgement import Expectation, Known, Memory, Proof, State, Verdict
from homelab.deploy.kinds.table import KINDS
from homelab.deploy.memory import remember
from homelab.deploy.model import Node, Snapshot
from homelab.deploy.reference import Wanted
from homelab.deploy.terms import Patience
from homelab.deploy.verdict import verdict
from homelab.outcome import Outcome
from homelab.settings.model import DeployTarget
from tests.deploy.objects import (
    FULL,
    NEWER,
    OLD,
    REPOSITORY,
    T0,
    WANTED,
    Json,
    deployment,
    event,
    image,
    old_pod,
    old_replica_set,
    pod,
    progressing,
    replica_set,
    running,
    stamp,
    waiting,
)

CONTAINED = Known(contains={image(NEWER): True})
EXPECTED = Expectation(target=DeployTarget("t", "web"), wanted=Wanted(oid=FULL))


@dataclass
class Scene:
    """What the cluster holds at a moment; None for a list that RBAC denies."""

    workload: Json | None
    revisions: list[Json] | None = field(default_factory=lambda: [replica_set(), old_replica_set()])
    pods: list[Json] | None = field(default_factory=lambda: [pod()])
    events: list[Json] | None = field(default_factory=list)
    fresh: bool = True
    nodes: tuple[Node, ...] | None = None

    def snapshot(self, at: float, kind: str = "deployment") -> Snapshot:
        form = KINDS[kind].revisions
        return Snapshot(
            at=T0 + at,
            workload=None if self.workload is None else KINDS[kind].read(self.workload, 0.0),
            revisions=None
            if self.revisions is None
            else tuple(form[2](item, 0.0) for item in self.revisions)
            if form
            else (),
            pods=None if self.pods is None else tuple(pod_shape.pod(item) for item in self.pods),
            events=None if self.events is None else tuple(pod_shape.happening(item) for item in self.events),
            nodes=self.nodes,
            fresh=self.fresh,
        )


def judge(*scenes: tuple[float, Scene], expectation: Expectation = EXPECTED, **wanted: Any) -> Verdict:
    """Look at each scene at its time; return the last verdict."""
    expectation = replace(expectation, **wanted)
    memory = Memory(began=T0)
    concluded = None
    for at, scene in scenes:
        snapshot = scene.snapshot(at, expectation.target.kind)
        memory = remember(memory, snapshot, expectation, T0 + at)
        concluded = verdict(snapshot, expectation, memory, T0 + at)
    assert concluded is not None
    return concluded


OLD_TEMPLATE = Scene(deployment(OLD, revision="1"), [replica_set(OLD, name="web-old", revision="1")], [old_pod()])
COMPLETE = Scene(deployment())
STARTING = pod(container=running(ready=False), ready_since=None)
EXCEEDED = [progressing("ProgressDeadlineExceeded", 'ReplicaSet "web-new" has timed out progressing.', "False")]
STALE = [progressing("ProgressDeadlineExceeded", 'ReplicaSet "web-old" has timed out progressing.', "False")]
HALF = deployment(counts=(1, 1, 1, 2), conditions=[progressing("ReplicaSetUpdated")])
NOT_FOUND = f'rpc error: code = NotFound desc = failed to pull "{WANTED}": {WANTED}: not found'
UNPULLED = pod(
    container=waiting("ImagePullBackOff", f'Back-off pulling image "{WANTED}"'), ready_since=None, phase="Pending"
)
PULL_FAILED = event("web-new-1", "Failed", f'Failed to pull image "{WANTED}": {NOT_FOUND}', at=0)


def crashing(restarts: int, *, code: int = 1, reason: str = "Error", created: float = 1) -> Json:
    last = {"exitCode": code, "reason": reason}
    return pod(
        container=waiting("CrashLoopBackOff", "back-off 10s", restarts=restarts, last=last),
        ready_since=None,
        created=created,
    )


def with_new(item: Json, *events: Json) -> Scene:
    """The old pod serves; the new one is ``item``."""
    return Scene(
        HALF, [replica_set(available=0), old_replica_set(want=1, available=1)], [item, old_pod()], list(events)
    )


def test_1_a_perfect_old_template_is_only_waiting_for_the_image() -> None:
    found = judge((0, OLD_TEMPLATE))
    assert found.state is State.REFERENCE
    assert found.sentence == "wants 0123456789ab, template has fedcba987654"


def test_2_an_old_ready_pod_does_not_answer_for_the_new_one() -> None:
    assert judge((0, with_new(STARTING))).state is State.PROGRESSING


def test_3_the_instant_before_the_first_new_pod_is_progressing() -> None:
    recreate = deployment(counts=(0, 1, 1, 1), conditions=[progressing("NewReplicaSetCreated")])
    scene = Scene(recreate, [replica_set(want=0), old_replica_set(want=1, available=1)], [old_pod()])
    assert judge((0, scene)).state is State.PROGRESSING


def test_4_counters_of_an_unobserved_generation_prove_nothing() -> None:
    found = judge((0, Scene(deployment(generation=5, observed=4))))
    assert found.state is State.PROGRESSING
    assert found.sentence == "waiting for its controller"


def test_4_a_controller_that_never_looks_is_named_after_30_seconds() -> None:
    unseen = Scene(deployment(generation=5, observed=4))
    assert judge((0, unseen), (31, unseen)).sentence == "its controller has not seen generation 5"


def test_5_a_paused_deployment_needs_a_person() -> None:
    found = judge((0, Scene(deployment(paused=True, counts=(0, 1, 1, 1)))))
    assert (found.state, found.outcome) == (State.NEEDS_ACTION, Outcome.PERSON)
    assert found.hint == "kubectl rollout resume deployment/web -n t"


def test_5_a_rollout_that_had_finished_before_it_was_paused_is_complete() -> None:
    paused = [progressing("DeploymentPaused", status="Unknown")]
    found = judge((0, Scene(deployment(paused=True, conditions=paused))))
    assert (found.state, found.proof) == (State.COMPLETE, Proof.PODS)
    old = Scene(deployment(paused=True, conditions=paused), pods=[pod(), old_pod()])
    assert judge((0, old)).state is State.NEEDS_ACTION


def test_6_zero_replicas_run_nothing() -> None:
    empty = Scene(deployment(want=0, counts=(0, 0, 0, 0)), [replica_set(want=0)], [])
    assert (judge((0, empty)).state, judge((0, empty)).outcome) == (State.COMPLETE_EMPTY, Outcome.PERSON)
    assert judge((0, empty), allow_zero=True).outcome is Outcome.DONE


def test_6_zero_replicas_wanted_while_a_pod_remains_is_progressing() -> None:
    leaving = Scene(deployment(want=0, counts=(1, 1, 1, 1)), [replica_set(want=0)], [pod()])
    assert judge((0, leaving)).state is State.PROGRESSING


def test_7_a_deadline_of_another_replicaset_is_stale() -> None:
    stale = Scene(deployment(counts=(0, 1, 1, 1), conditions=STALE), [replica_set(available=0), old_replica_set()])
    assert judge((0, stale), (40, stale)).state is State.PROGRESSING


def test_8_a_deadline_of_the_new_replicaset_is_the_end() -> None:
    late = deployment(counts=(1, 0, 0, 1), conditions=EXCEEDED)
    found = judge((0, Scene(late, [replica_set(available=0)], [STARTING])))
    assert (found.state, found.reason, found.outcome) == (State.FAILED, "deadline", Outcome.RED)


def written(body: Json, at: float) -> Json:
    """The Deployment with the stamp of its template's last change."""
    entry = {"manager": "ci", "time": stamp(at), "fieldsV1": {"f:spec": {"f:template": {}}}}
    return {**body, "metadata": {**body["metadata"], "managedFields": [entry]}}


def overdue(at: float, name: str = "web-new") -> Json:
    text = f'ReplicaSet "{name}" has timed out progressing.'
    late = {**progressing("ProgressDeadlineExceeded", text, "False"), "lastTransitionTime": stamp(at)}
    return deployment(counts=(1, 0, 0, 1), conditions=[late])


@pytest.mark.parametrize(
    ("name", "changed", "since", "state"),
    [
        ("web-new", -700, -100, State.FAILED),
        ("web-new", -100, -700, State.PROGRESSING),
        ("web-old", -100, -700, State.PROGRESSING),
    ],
    ids=["after the change", "before the change", "a rollback inherited it"],
)
def test_8_without_replicasets_only_a_deadline_younger_than_the_template_counts(
    name: str, changed: float, since: float, state: State
) -> None:
    late = Scene(written(overdue(since, name), changed), None, None, None)
    assert judge((0, late), (100, late)).state is state


def test_8_a_deadline_that_nobody_can_tie_to_the_template_never_fails() -> None:
    late = Scene(overdue(-100), None, None, None)
    assert judge((0, late), (100, late), (600, late)).state is State.PROGRESSING
    assert judge((0, late), (661, late)).state is State.TIMEOUT


def test_8_a_change_seen_by_the_wait_itself_dates_the_template() -> None:
    before = Scene(deployment(OLD, revision="1"), None, None, None)
    stale, own = (Scene(overdue(at), None, None, None) for at in (-100, 620))
    assert judge((0, before), (5, stale), (300, stale)).state is State.PROGRESSING
    assert judge((0, before), (5, stale), (621, own)).state is State.FAILED


def test_8_a_deadline_of_the_same_replicaset_before_its_template_came_back_is_stale() -> None:
    back = written(overdue(-700), -10)
    scene = Scene(back, [replica_set(available=0)], [STARTING])
    assert judge((0, scene), (30, scene)).state is State.PROGRESSING


def test_9_an_old_pod_that_terminates_does_not_hold_completion_back() -> None:
    leaving = Scene(deployment(), pods=[pod(), old_pod(deleting=True)])
    assert judge((0, leaving)).state is State.COMPLETE
    assert judge((0, leaving), wait_old_gone=True).state is State.PROGRESSING


def test_9_an_old_pod_that_was_evicted_has_gone_as_far_as_serving_goes() -> None:
    evicted = Scene(deployment(), pods=[pod(), old_pod(phase="Failed", ready_since=None)])
    assert judge((0, evicted), wait_old_gone=True).state is State.COMPLETE


@pytest.mark.parametrize(
    ("terminating", "state"),
    [(None, State.NEEDS_ACTION), (1, State.PROGRESSING), (0, State.COMPLETE)],
    ids=["the server does not count them", "one", "none"],
)
def test_9_without_pods_only_the_servers_count_says_that_old_ones_are_gone(
    terminating: int | None, state: State
) -> None:
    body = deployment()
    if terminating is not None:
        body["status"]["terminatingReplicas"] = terminating
    assert judge((0, Scene(body, pods=None, events=None)), stable_for=0.0, wait_old_gone=True).state is state


def test_recreate_held_up_by_ended_old_pods_names_them() -> None:
    made = [progressing("NewReplicaSetCreated")]
    body = deployment(counts=(0, 0, 0, 0), conditions=made, strategy={"type": "Recreate"})
    scene = Scene(body, [replica_set(available=0)], [old_pod(phase="Failed", ready_since=None)])
    assert judge((0, scene)).sentence == "Recreate waits for old pods to go: web-old-1 (Failed)"


def test_a_replicaset_without_revision_annotation_is_known_by_its_template() -> None:
    unmarked = replica_set()
    del unmarked["metadata"]["annotations"]
    found = judge((0, Scene(deployment(), [unmarked, old_replica_set()])))
    assert (found.state, found.proof) == (State.COMPLETE, Proof.PODS)


def test_a_rollback_goes_by_the_revision_and_not_by_the_newest_replicaset() -> None:
    older = replica_set(name="web-new", revision="3")
    younger = replica_set(OLD, name="web-old", revision="2", want=0)
    younger["metadata"]["creationTimestamp"] = stamp(0)
    found = judge((0, Scene(deployment(revision="3"), [younger, older])))
    assert (found.state, found.proof) == (State.COMPLETE, Proof.PODS)


def test_pods_of_a_stranger_under_the_same_labels_prove_nothing() -> None:
    strangers = Scene(deployment(), [replica_set(owned="dep"), old_replica_set()], [pod(owned="another")])
    assert judge((0, strangers)).state is State.PROGRESSING


def test_an_old_pod_that_still_serves_holds_completion_back() -> None:
    found = judge((0, Scene(deployment(), pods=[pod(), old_pod()])))
    assert (found.state, found.sentence) == (State.PROGRESSING, "old pod web-old-1 still serves")


def test_10_a_crash_during_the_hold_is_a_failure() -> None:
    ready = Scene(deployment(), pods=[pod(ready_since=0)])
    crashed = Scene(
        deployment(counts=(1, 0, 0, 1)),
        [replica_set(available=0)],
        [pod(container=running(restarts=1, ready=False), ready_since=None)],
    )
    assert judge((0, ready)).state is State.HOLDING
    found = judge((0, ready), (5, crashed))
    assert (found.state, found.reason) == (State.FAILED, "crash")
    assert found.sentence == "crash: web-new-1 was Ready, then crashed"


def test_10_patience_leaves_a_crash_during_the_hold_to_the_deadline() -> None:
    ready = Scene(deployment(), pods=[pod(ready_since=0)])
    down = Scene(
        deployment(counts=(1, 0, 0, 1)),
        [replica_set(available=0)],
        [pod(container=running(restarts=1, ready=False), ready_since=None)],
    )
    assert judge((0, ready), (5, down), patience=Patience.PATIENT).state is State.PROGRESSING


def test_10_an_end_during_the_hold_is_a_failure_before_the_restart_is_counted() -> None:
    ready = Scene(deployment(), pods=[pod(ready_since=0)])
    dead = {"ready": False, "restartCount": 0, "state": {"terminated": {"exitCode": 1, "reason": "Error"}}}
    ended = Scene(deployment(counts=(1, 0, 0, 1)), [replica_set(available=0)], [pod(container=dead, ready_since=None)])
    assert judge((0, ready), (5, ended)).reason == "crash"


def test_a_restart_between_two_looks_starts_the_hold_anew_though_the_pod_is_ready_again() -> None:
    first = Scene(deployment(), pods=[pod(ready_since=0)])
    again = Scene(deployment(), pods=[pod(container=running(restarts=1), ready_since=8)])
    assert judge((0, first), (9, again), (11, again)).state is State.HOLDING
    assert judge((0, first), (9, again), (18, again)).state is State.COMPLETE
    down = Scene(deployment(), pods=[pod(container=running(restarts=2, ready=False), ready_since=None)])
    assert judge((0, first), (9, again), (11, down)).reason == "crash"


def test_a_flap_without_restart_starts_the_hold_anew() -> None:
    ready = Scene(deployment(), pods=[pod(ready_since=0)])
    unready = Scene(deployment(counts=(1, 0, 0, 1)), [replica_set(available=0)], [STARTING])
    again = Scene(deployment(), pods=[pod(ready_since=8)])
    assert judge((0, ready), (5, unready)).state is State.PROGRESSING
    assert judge((0, ready), (5, unready), (11, again)).state is State.HOLDING
    assert judge((0, ready), (5, unready), (11, again), (18, again)).state is State.COMPLETE


def test_pods_that_are_ready_for_long_need_no_hold() -> None:
    found = judge((0, COMPLETE))
    assert (found.state, found.proof) == (State.COMPLETE, Proof.PODS)
    assert found.sentence == "complete 1/1, proof: pods"


def test_11_a_missing_image_fails_after_its_grace_though_an_old_pod_serves() -> None:
    scene = with_new(UNPULLED, PULL_FAILED)
    assert judge((0, scene), (29, scene)).state is State.PROGRESSING
    found = judge((0, scene), (31, scene))
    assert (found.state, found.reason) == (State.FAILED, "image-missing")
    assert found.sentence == f"image-missing: {WANTED}: ImagePullBackOff: not found"


def test_11_a_wait_begun_late_counts_the_grace_from_the_event() -> None:
    scene = with_new(UNPULLED, event("web-new-1", "Failed", f'Failed to pull image "{WANTED}": {NOT_FOUND}', at=-60))
    assert judge((0, scene)).state is State.FAILED


LATE = event("web-new-1", "Failed", f'Failed to pull image "{WANTED}": {NOT_FOUND}', at=-60)


def test_an_image_that_its_registry_has_by_now_is_waited_for() -> None:
    arrived = Known(content={REPOSITORY: frozenset({"sha256:1"})})
    found = judge((0, with_new(UNPULLED, LATE)), (300, with_new(UNPULLED, LATE)), known=arrived)
    assert found.state is State.PROGRESSING
    assert found.troubles[0].message.endswith("; the registry has it by now, the node pulls again")


def test_an_image_that_its_registry_has_for_another_platform_alone_is_missing() -> None:
    late = event("web-new-1", "Failed", f'Failed to pull image "{WANTED}": no match for platform in manifest', at=-60)
    arrived = Known(content={REPOSITORY: frozenset({"sha256:1"})})
    assert judge((0, with_new(UNPULLED, late)), known=arrived).state is State.FAILED


def test_an_image_said_to_be_missing_is_not_given_up_while_its_registry_is_asked() -> None:
    asking = Known(asking_until=T0 + 2.0)
    found = judge((0, with_new(UNPULLED, LATE)), known=asking)
    assert (found.state, found.again) == (State.PROGRESSING, 2.0)
    assert judge((0, with_new(UNPULLED, LATE)), (3, with_new(UNPULLED, LATE)), known=asking).state is State.FAILED


def test_11_flapping_between_pull_states_does_not_reset_the_grace() -> None:
    failing = pod(container=waiting("ErrImagePull", NOT_FOUND), ready_since=None, phase="Pending")
    first, second = with_new(failing), with_new(UNPULLED)
    found = judge((0, first), (10, second), (20, first), (31, second))
    assert (found.state, found.reason) == (State.FAILED, "image-missing")


def test_12_one_restart_is_not_a_failure() -> None:
    scene = with_new(crashing(1))
    assert judge((2, scene), (3, scene)).state is State.PROGRESSING


def test_12_three_restarts_are() -> None:
    found = judge((2, with_new(crashing(1))), (20, with_new(crashing(3))))
    assert (found.state, found.reason) == (State.FAILED, "crash")
    assert found.sentence == "crash: app exit 1, 3 restarts"


def test_12_restarts_before_the_wait_are_history() -> None:
    before = with_new(crashing(7, created=-600))
    assert judge((0, before), (5, before)).state is State.PROGRESSING
    assert judge((0, before), (61, before)).state is State.FAILED


def test_a_kill_for_memory_counts_double() -> None:
    killed = with_new(crashing(2, code=137, reason="OOMKilled"))
    assert judge((2, with_new(crashing(1))), (10, killed)).sentence == "crash: app OOMKilled, 2 restarts"


def test_13_a_template_that_moved_on_is_superseded() -> None:
    found = judge((0, with_new(STARTING)), (5, Scene(deployment(image(NEWER), revision="3"))))
    assert (found.state, found.outcome) == (State.SUPERSEDED, Outcome.SUPERSEDED)
    assert found.sentence == "the template moved on from 0123456789ab to abcabcabcabc"


def test_13_a_live_commit_that_contains_ours_is_superseded_at_once_or_accepted() -> None:
    scene = Scene(deployment(image(NEWER)), [replica_set(image(NEWER))], [pod(img=image(NEWER))])
    assert judge((0, scene), known=CONTAINED).state is State.SUPERSEDED
    assert judge((0, scene), known=CONTAINED, newer_ok=True).state is State.COMPLETE


UNKNOWN = Known(contains={image(NEWER): None})


@pytest.mark.parametrize("newer_ok", [False, True])
def test_13_ancestry_that_nobody_here_knows_is_said_and_never_accepted(newer_ok: bool) -> None:
    moved = Scene(deployment(image(NEWER), revision="3"))
    found = judge((0, with_new(STARTING)), (5, moved), known=UNKNOWN, newer_ok=newer_ok)
    assert (found.state, found.outcome) == (State.SUPERSEDED, Outcome.SUPERSEDED)
    assert found.sentence == (
        "the template moved on from 0123456789ab to abcabcabcabc; whether that contains it is not known here"
    )
    late = judge((0, moved), (301, moved), known=UNKNOWN, newer_ok=newer_ok)
    assert late.outcome is Outcome.NOTHING
    assert late.sentence.endswith("it has abcabcabcabc; whether that contains it is not known here")


COMMAND = ("homelab", "deploy", "wait", "t/web", "--sha", FULL[:12])


def test_13_a_template_that_moved_on_to_a_commit_with_ours_says_so_and_how_to_accept_it() -> None:
    moved = Scene(deployment(image(NEWER), revision="3"))
    found = judge((0, with_new(STARTING)), (5, moved), known=CONTAINED, command=COMMAND)
    assert (found.state, found.outcome) == (State.SUPERSEDED, Outcome.SUPERSEDED)
    assert found.sentence == "the template moved on to abcabcabcabc, which contains 0123456789ab"
    assert found.hint == "homelab deploy wait t/web --sha 0123456789ab --newer-ok"


def test_13_a_template_is_newer_only_where_every_container_of_the_app_is() -> None:
    body = deployment(image(NEWER))
    containers = body["spec"]["template"]["spec"]["containers"]
    containers.append({"name": "worker", "image": OLD})
    found = judge((0, Scene(body)), known=CONTAINED, newer_ok=True)
    assert (found.state, found.sentence) == (
        State.REFERENCE,
        "wants 0123456789ab, template has app=abcabcabcabc, worker=fedcba987654",
    )


def test_what_to_type_next_is_a_whole_command() -> None:
    empty = Scene(deployment(want=0, counts=(0, 0, 0, 0)), [replica_set(want=0)], [])
    assert judge((0, empty), command=COMMAND).hint == "homelab deploy wait t/web --sha 0123456789ab --allow-zero"
    late = judge((0, with_new(STARTING)), (901, with_new(STARTING)), command=COMMAND)
    assert (late.state, late.hint) == (
        State.TIMEOUT,
        "homelab deploy wait t/web --sha 0123456789ab --timeout 1800s",
    )


def test_14_a_platform_digest_of_a_pinned_index_is_no_contradiction() -> None:
    pinned = f"{REPOSITORY}:{FULL}@sha256:{'a' * 64}"
    wanted = Wanted(oid=FULL, digests=frozenset({f"sha256:{'a' * 64}"}))
    platform = running(image_id=f"docker-pullable://{REPOSITORY}@sha256:{'b' * 64}")
    scene = Scene(deployment(pinned), [replica_set(pinned)], [pod(img=pinned, container=platform)])
    assert judge((0, scene), wanted=wanted).state is State.COMPLETE


def test_14_an_unverified_digest_needs_a_person() -> None:
    pinned = f"{REPOSITORY}:{FULL}@sha256:{'a' * 64}"
    found = judge((0, Scene(deployment(pinned), [replica_set(pinned)], [pod(img=pinned)])))
    assert (found.state, found.reason) == (State.NEEDS_ACTION, "unverified")


def test_20_without_pods_the_counters_and_the_replicaset_prove() -> None:
    found = judge((0, Scene(deployment(), pods=None, events=None)), stable_for=0.0)
    assert (found.state, found.proof) == (State.COMPLETE, Proof.REVISION)
    found = judge((0, Scene(deployment(), None, None, None)), stable_for=0.0)
    assert (found.state, found.proof) == (State.COMPLETE, Proof.COUNTERS)
    assert found.sentence == "complete 1/1, proof: counters"


def test_20_without_pod_stamps_the_hold_is_counted_from_our_own_look() -> None:
    scene = Scene(deployment(), pods=None, events=None)
    assert judge((0, scene), (9, scene)).state is State.HOLDING
    assert judge((0, scene), (9, scene), (10, scene)).state is State.COMPLETE


def test_21_a_replaced_object_starts_the_wait_over() -> None:
    fresh = Scene(deployment(OLD, uid="dep-2", revision="1"), [], [])
    found = judge((0, with_new(STARTING)), (299, fresh), (301, fresh))
    assert found.state is State.REFERENCE


def test_21_a_deadline_of_the_whole_wait_goes_on_over_a_replacement() -> None:
    again = with_new(STARTING)
    assert again.workload is not None
    again = replace(again, workload={**again.workload, "metadata": {**again.workload["metadata"], "uid": "dep-2"}})
    looks = ((0, with_new(STARTING)), (50, again), (61, again))
    assert judge(*looks, overall=True, timeout=60.0).state is State.TIMEOUT
    assert judge(*looks, timeout=60.0).state is State.PROGRESSING


def test_a_workload_gone_in_its_rollout_fails_after_30_seconds() -> None:
    gone = Scene(None)
    assert judge((0, with_new(STARTING)), (5, gone), (34, gone)).state is State.PROGRESSING
    assert judge((0, with_new(STARTING)), (5, gone), (36, gone)).reason == "gone"


def test_an_absent_workload_is_awaited_then_absent() -> None:
    gone = Scene(None)
    assert judge((0, gone), (299, gone)).state is State.REFERENCE
    found = judge((0, gone), (300, gone))
    assert (found.state, found.outcome) == (State.ABSENT, Outcome.NOTHING)


def test_a_template_that_never_names_the_image_ends_with_nothing_there() -> None:
    found = judge((0, OLD_TEMPLATE), (300, OLD_TEMPLATE))
    assert (found.state, found.outcome) == (State.REFERENCE_TIMEOUT, Outcome.NOTHING)


def test_the_rollouts_clock_starts_when_the_template_names_the_image() -> None:
    moving = with_new(STARTING)
    assert judge((0, OLD_TEMPLATE), (290, moving), (880, moving)).state is State.PROGRESSING
    capped = judge((0, OLD_TEMPLATE), (290, moving), (700, moving), (1191, moving))
    assert (capped.state, capped.outcome) == (State.TIMEOUT, Outcome.PENDING)


def test_no_progress_past_the_controllers_own_deadline_ends_pending() -> None:
    found = judge((0, with_new(STARTING)), (661, with_new(STARTING)))
    assert found.sentence.startswith("no progress for 660 s")


def test_progress_restarts_the_quiet_clock() -> None:
    more = Scene(
        deployment(want=2, counts=(2, 1, 1, 2), conditions=[progressing("ReplicaSetUpdated")]),
        [replica_set(want=2, available=1)],
        [pod(), pod("web-new-2", container=running(ready=False), ready_since=None)],
    )
    assert judge((0, with_new(STARTING)), (600, more), (700, more)).state is State.PROGRESSING


def test_what_falls_back_and_comes_again_is_no_progress() -> None:
    up = with_new(pod("web-new-1"))
    down = with_new(STARTING)
    looks = [(float(at), up if at % 100 else down) for at in range(0, 800, 50)]
    found = judge(*looks)
    assert (found.state, found.sentence.startswith("no progress for 660 s")) == (State.TIMEOUT, True)


def test_another_spec_starts_the_quiet_clock_anew() -> None:
    scaled = with_new(STARTING)
    scaled = replace(scaled, workload=deployment(want=2, counts=(1, 1, 1, 2), generation=6, conditions=[]))
    assert judge((0, with_new(STARTING)), (600, scaled), (700, scaled)).state is State.PROGRESSING


def test_stale_details_never_prove_completion() -> None:
    found = judge((0, replace(COMPLETE, fresh=False)))
    assert (found.state, found.again) == (State.PROGRESSING, 0.0)


def test_a_ready_sibling_triples_the_grace() -> None:
    two = Scene(
        deployment(want=2, counts=(2, 1, 1, 2), conditions=[progressing("ReplicaSetUpdated")]),
        [replica_set(want=2, available=1)],
        [pod("web-new-2"), UNPULLED],
        [PULL_FAILED],
    )
    assert judge((0, two), (60, two)).state is State.PROGRESSING
    assert judge((0, two), (91, two)).state is State.FAILED


def test_one_pod_that_may_still_start_keeps_the_rollout_alive() -> None:
    starting = pod("web-new-2", container=running(ready=False), ready_since=None)
    two = Scene(
        deployment(want=2, counts=(2, 0, 0, 2), conditions=[progressing("ReplicaSetUpdated")]),
        [replica_set(want=2, available=0)],
        [starting, UNPULLED],
        [PULL_FAILED],
    )
    assert judge((0, two), (100, two)).state is State.PROGRESSING


@pytest.mark.parametrize(
    ("patience", "expected"), [(Patience.PATIENT, State.PROGRESSING), (Patience.NONE, State.FAILED)]
)
def test_patience_is_the_callers_choice(patience: Patience, expected: State) -> None:
    scene = with_new(UNPULLED, PULL_FAILED)
    assert judge((0, scene), (1 if patience is Patience.NONE else 100, scene), patience=patience).state is expected


def test_a_workload_being_deleted_is_not_complete() -> None:
    doomed = deployment()
    doomed["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    assert judge((0, Scene(doomed))).state is State.PROGRESSING


def test_a_revision_annotation_that_lags_behind_the_template_is_not_believed() -> None:
    lagging = Scene(deployment(revision="1"), [old_replica_set(want=1, available=1)], [old_pod()])
    assert judge((0, lagging)).state is State.PROGRESSING


def test_several_matching_images_need_a_containers_name() -> None:
    two = deployment()
    two["spec"]["template"]["spec"]["containers"].append({"name": "side", "image": f"reg.example/t/side:{FULL}"})
    assert judge((0, Scene(two))).outcome is Outcome.USAGE
    assert judge((0, Scene(two)), target=DeployTarget("t", "web", container="nope")).outcome is Outcome.USAGE


def test_a_mutable_tag_is_proven_by_the_templates_own_mark() -> None:
    latest = f"{REPOSITORY}:latest"
    body, sets = deployment(latest), [replica_set(latest)]
    assert judge((0, Scene(body, sets, [pod(img=latest)]))).state is State.REFERENCE
    for one in (body, *sets):
        one["spec"]["template"]["metadata"]["annotations"] = {"org.opencontainers.image.revision": FULL}
    assert judge((0, Scene(body, sets, [pod(img=latest)]))).state is State.COMPLETE
