"""Kinds other than Deployment: the states in which each of them fools a tool. Times count from the wait's begin."""

from __future__ import annotations

from typing import Any

import pytest

from homelab.deploy.judgement import Expectation, Memory, Proof, State, Verdict
from homelab.deploy.kinds import rollout as rollout_kind
from homelab.deploy.kinds.table import KINDS, kind_named
from homelab.deploy.model import Snapshot
from homelab.deploy.reference import Wanted
from homelab.deploy.terms import Patience
from homelab.outcome import Outcome
from homelab.settings.model import DeployTarget
from tests.deploy.objects import (
    FULL,
    OLD,
    REPOSITORY,
    T0,
    WANTED,
    Json,
    deployment,
    event,
    old_pod,
    pod,
    replica_set,
    running,
    stamp,
    template,
    waiting,
)
from tests.deploy.test_verdict import Scene, judge


def expected(kind: str, **wanted: Any) -> Expectation:
    return Expectation(target=DeployTarget("t", "web", kind), wanted=Wanted(oid=FULL), **wanted)


def look(kind: str, *scenes: tuple[float, Scene], **wanted: Any) -> Verdict:
    return judge(*scenes, expectation=expected(kind, **wanted))


def stateful(
    *,
    want: int = 3,
    updated: int = 3,
    ready: int = 3,
    partition: int | None = None,
    update: str = "new",
    current: str = "new",
    kind: str = "RollingUpdate",
    management: str = "OrderedReady",
    img: str = WANTED,
    start: int = 0,
    observed: int | None = 5,
) -> Json:
    strategy: Json = {"type": kind}
    if kind == "RollingUpdate":
        strategy["rollingUpdate"] = {"partition": partition or 0}
    status = {
        "replicas": want,
        "updatedReplicas": updated,
        "readyReplicas": ready,
        "availableReplicas": ready,
        "updateRevision": update,
        "currentRevision": current,
    }
    if observed is not None:
        status["observedGeneration"] = observed
    return {
        "metadata": {"name": "web", "namespace": "t", "uid": "sts", "generation": 5},
        "spec": {
            "replicas": want,
            "selector": {"matchLabels": {"app": "web"}},
            "template": template(img),
            "updateStrategy": strategy,
            "podManagementPolicy": management,
            "ordinals": {"start": start},
        },
        "status": status,
    }


def member(number: int, revision: str = "new", **fields: Any) -> Json:
    img = WANTED if revision == "new" else OLD
    labels = {"controller-revision-hash": revision}
    return pod(f"web-{number}", owned="sts", owner_kind="StatefulSet", img=img, labels=labels, **fields)


BROKEN: Json = {"container": waiting("ImagePullBackOff", "not found"), "ready_since": None, "phase": "Pending"}


def test_a_statefulset_is_complete_when_every_pod_has_the_update_revision() -> None:
    found = look("statefulset", (0, Scene(stateful(), [], [member(n) for n in range(3)])))
    assert (found.state, found.sentence) == (State.COMPLETE, "complete 3/3, proof: pods")


def test_a_statefulset_never_observed_proves_nothing() -> None:
    assert look("statefulset", (0, Scene(stateful(observed=None), [], []))).state is State.PROGRESSING


def test_a_statefulset_whose_current_revision_lags_is_progressing() -> None:
    scene = Scene(stateful(current="old"), [], [member(n) for n in range(3)])
    assert look("statefulset", (0, scene)).state is State.PROGRESSING


def test_a_ready_statefulset_pod_of_the_old_revision_is_no_proof() -> None:
    scene = Scene(stateful(), [], [member(0, "old"), member(1), member(2)])
    assert look("statefulset", (0, scene)).sentence == "2/3 pods of the new revision"


def test_15_a_partition_as_large_as_the_set_is_staged() -> None:
    scene = Scene(stateful(partition=3, updated=0, current="old"), [], [member(n, "old") for n in range(3)])
    found = look("statefulset", (0, scene))
    assert (found.state, found.reason, found.outcome) == (State.NEEDS_ACTION, "staged", Outcome.PERSON)


def test_a_smaller_partition_is_partial_and_may_be_accepted() -> None:
    pods = [member(0, "old"), member(1, "old"), member(2)]
    scene = Scene(stateful(partition=2, updated=1, current="old"), [], pods)
    assert look("statefulset", (0, scene)).reason == "partial"
    accepted = look("statefulset", (0, scene), allow_partial=True)
    assert (accepted.state, accepted.sentence) == (State.COMPLETE, "complete 1/3, proof: pods")


def test_a_partition_keeps_nothing_back_where_there_is_but_one_revision() -> None:
    scene = Scene(stateful(partition=3), [], [member(n) for n in range(3)])
    found = look("statefulset", (0, scene))
    assert (found.state, found.sentence) == (State.COMPLETE, "complete 3/3, proof: pods")


def test_a_partition_counts_from_the_first_ordinal() -> None:
    pods = [member(5, "old"), member(6, "old"), member(7)]
    scene = Scene(stateful(partition=2, updated=1, current="old", start=5), [], pods)
    assert look("statefulset", (0, scene), allow_partial=True).state is State.COMPLETE


def test_16_ondelete_with_old_pods_lists_the_pods_to_delete() -> None:
    scene = Scene(stateful(kind="OnDelete", updated=0, current="old"), [], [member(n, "old") for n in range(3)])
    found = look("statefulset", (0, scene))
    assert (found.state, found.reason) == (State.NEEDS_ACTION, "on-delete")
    assert found.hint == "kubectl delete pod web-0 web-1 web-2 -n t, one after the other"


def test_ondelete_with_new_pods_is_complete_though_the_current_revision_never_advances() -> None:
    scene = Scene(stateful(kind="OnDelete", current="old"), [], [member(n) for n in range(3)])
    assert look("statefulset", (0, scene)).state is State.COMPLETE


def test_17_a_broken_pod_of_an_old_revision_blocks_an_ordered_set() -> None:
    scene = Scene(stateful(want=1, updated=0, ready=0, current="old"), [], [member(0, "old", **BROKEN)])
    assert look("statefulset", (0, scene), (59, scene)).state is State.PROGRESSING
    found = look("statefulset", (0, scene), (61, scene))
    assert (found.state, found.reason, found.hint) == (State.FAILED, "blocked", "kubectl delete pod web-0 -n t")


def test_17_patience_leaves_a_blocked_set_to_the_deadline() -> None:
    scene = Scene(stateful(want=1, updated=0, ready=0, current="old"), [], [member(0, "old", **BROKEN)])
    assert look("statefulset", (0, scene), (300, scene), patience=Patience.PATIENT).state is State.PROGRESSING


def test_a_statefulsets_quiet_clock_leaves_time_for_its_pods_to_become_available() -> None:
    body = stateful(updated=1, ready=2)
    body["spec"]["minReadySeconds"] = 120
    scene = Scene(body, [], [member(n) for n in range(3)])
    assert look("statefulset", (0, scene), (719, scene)).state is State.PROGRESSING
    assert look("statefulset", (0, scene), (721, scene)).sentence.startswith("no progress for 720 s")


def test_pods_of_a_statefulset_that_cannot_be_made_are_known_by_its_events_alone() -> None:
    denied = event("sts", "FailedCreate", 'pods "web-2" is forbidden: exceeded quota: compute', at=0)
    scene = Scene(stateful(updated=2, ready=2, current="old"), [], [member(0), member(1)], [denied])
    assert look("statefulset", (0, scene), (179, scene)).state is State.PROGRESSING
    found = look("statefulset", (0, scene), (181, scene))
    assert (found.state, found.reason) == (State.FAILED, "quota")


def test_a_failure_to_make_pods_of_another_revision_is_history() -> None:
    def scene(first: float, last: float) -> Scene:
        body = stateful(updated=2, ready=2, current="old")
        entry = {"manager": "ci", "time": stamp(-10), "fieldsV1": {"f:spec": {"f:template": {}}}}
        body["metadata"]["managedFields"] = [entry]
        denied = {**event("sts", "FailedCreate", "exceeded quota", at=first), "lastTimestamp": stamp(last)}
        return Scene(body, [], [member(0), member(1)], [denied])

    before, still = scene(-1500, -1200), scene(-1500, -5)
    assert look("statefulset", (0, before), (400, before)).state is State.PROGRESSING
    assert look("statefulset", (0, still)).state is State.PROGRESSING
    assert look("statefulset", (0, still), (171, still)).reason == "quota"


def test_17_parallel_management_is_not_blocked() -> None:
    fields: Json = {"updated": 0, "ready": 0, "current": "old", "management": "Parallel"}
    scene = Scene(stateful(want=1, **fields), [], [member(0, "old", **BROKEN)])
    assert look("statefulset", (0, scene), (90, scene)).state is State.PROGRESSING


def test_a_statefulset_without_listed_pods_is_proven_by_counters() -> None:
    found = look("statefulset", (0, Scene(stateful(), [], None)), stable_for=0.0)
    assert (found.state, found.proof) == (State.COMPLETE, Proof.COUNTERS)


def daemons(*, want: int = 3, updated: int = 3, available: int = 3, kind: str = "RollingUpdate") -> Json:
    return {
        "metadata": {"name": "web", "namespace": "t", "uid": "ds", "generation": 5},
        "spec": {
            "selector": {"matchLabels": {"app": "web"}},
            "template": template(WANTED),
            "updateStrategy": {"type": kind},
        },
        "status": {
            "observedGeneration": 5,
            "desiredNumberScheduled": want,
            "currentNumberScheduled": want,
            "updatedNumberScheduled": updated,
            "numberAvailable": available,
            "numberReady": available,
        },
    }


def revision(number: int, name: str) -> Json:
    img = WANTED if name == "new" else OLD
    return {
        "metadata": {"name": f"web-{name}", "uid": name, "labels": {"app": "web", "controller-revision-hash": name}},
        "revision": number,
        "data": {"spec": {"template": template(img)}},
    }


def daemon(number: int, name: str = "new", **fields: Any) -> Json:
    img = WANTED if name == "new" else OLD
    made = pod(
        f"web-{number}",
        owned="ds",
        owner_kind="DaemonSet",
        img=img,
        labels={"controller-revision-hash": name},
        **fields,
    )
    made["spec"]["nodeName"] = f"node-{number}"
    return made


REVISIONS = [revision(2, "new"), revision(1, "old")]


def nodes(*ready: bool) -> Any:
    from homelab.deploy.model import Node

    return tuple(Node(f"node-{number}", is_ready, cordoned=False) for number, is_ready in enumerate(ready))


def test_a_daemonset_is_complete_when_every_node_runs_the_newest_revision() -> None:
    found = look("daemonset", (0, Scene(daemons(), REVISIONS, [daemon(n) for n in range(3)])))
    assert (found.state, found.sentence) == (State.COMPLETE, "complete 3/3, proof: pods")


def test_a_daemonset_without_a_node_runs_nothing() -> None:
    assert look("daemonset", (0, Scene(daemons(want=0, updated=0, available=0), REVISIONS, []))).reason == "empty"


def test_18_one_dead_node_holds_a_daemonset_until_the_deadline() -> None:
    pods = [daemon(0), daemon(1), daemon(2, "old", ready_since=None, container=running(ready=False))]
    scene = Scene(daemons(updated=2, available=2), REVISIONS, pods)
    assert look("daemonset", (0, scene), (599, scene)).state is State.PROGRESSING
    assert look("daemonset", (0, scene), (601, scene)).outcome is Outcome.PENDING


def test_18_unready_nodes_may_be_left_out_by_name() -> None:
    pods = [daemon(0), daemon(1), daemon(2, "old", ready_since=None, container=running(ready=False))]
    scene = Scene(daemons(updated=2, available=2), REVISIONS, pods, nodes=nodes(True, True, False))
    assert look("daemonset", (0, scene)).state is State.PROGRESSING
    found = look("daemonset", (0, scene), ignore_unready_nodes=True, stable_for=0.0)
    assert found.sentence == "complete 2/3, without node-2, proof: pods"


def test_18_with_every_node_left_out_nothing_is_proven() -> None:
    dead: Any = {"ready_since": None, "container": running(ready=False)}
    scene = Scene(
        daemons(updated=2, available=0), REVISIONS, [daemon(n, **dead) for n in range(3)], nodes=nodes(*[False] * 3)
    )
    found = look("daemonset", (0, scene), ignore_unready_nodes=True, stable_for=0.0)
    assert (found.state, found.sentence) == (
        State.PROGRESSING,
        "none of its 3 nodes is ready: node-0, node-1, node-2",
    )


def test_a_daemonset_that_no_node_takes_says_what_keeps_it_off() -> None:
    body = daemons(want=0, updated=0, available=0)
    required = {"nodeSelectorTerms": [{"matchExpressions": [{"key": "zone", "operator": "In", "values": ["a", "b"]}]}]}
    affinity = {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": required}}
    body["spec"]["template"]["spec"] |= {"nodeSelector": {"disk": "ssd"}, "affinity": affinity}
    found = look("daemonset", (0, Scene(body, REVISIONS, [])))
    assert found.sentence == (
        "no node is meant to run it (nodeSelector disk=ssd, affinity zone In a,b, tolerates no taint)"
    )


def test_ondelete_of_a_daemonset_goes_by_the_newest_revision_and_not_by_the_image() -> None:
    same_image = daemon(2, "old")
    same_image["spec"]["containers"][0]["image"] = WANTED
    scene = Scene(daemons(kind="OnDelete", updated=2), REVISIONS, [daemon(0), daemon(1), same_image])
    found = look("daemonset", (0, scene))
    assert (found.state, found.reason) == (State.NEEDS_ACTION, "on-delete")
    assert "web-2" in found.hint
    done = Scene(daemons(kind="OnDelete"), REVISIONS, [daemon(n) for n in range(3)])
    assert look("daemonset", (0, done)).state is State.COMPLETE


def rollout(phase: str = "Healthy", *, current: str = "new", stable: str = "new", **status: Any) -> Json:
    body = deployment()
    body["metadata"]["annotations"] = {"rollout.argoproj.io/revision": "2"}
    body["status"] |= {
        "observedGeneration": "5",
        "phase": phase,
        "currentPodHash": current,
        "stableRS": stable,
        "conditions": [],
        **status,
    }
    return body


def test_22_a_healthy_rollout_whose_stable_replicaset_is_another_is_progressing() -> None:
    scene = Scene(rollout(stable="old"), [replica_set()], [pod()])
    assert look("rollout", (0, scene)).state is State.PROGRESSING


def test_a_promoted_rollout_is_complete_though_old_pods_stay() -> None:
    found = look("rollout", (0, Scene(rollout(), [replica_set()], [pod(), old_pod()])))
    assert (found.state, found.proof) == (State.COMPLETE, Proof.PODS)


@pytest.mark.parametrize(
    ("body", "state"),
    [
        (rollout("Paused", message="CanaryPauseStep"), State.NEEDS_ACTION),
        (rollout("Degraded", message="aborted"), State.FAILED),
        (rollout("Progressing"), State.PROGRESSING),
        (rollout(observedGeneration="4"), State.PROGRESSING),
        (rollout(observedGeneration="a1b2"), State.COMPLETE),
        (rollout(controllerPause=True, pauseConditions=[]), State.PROGRESSING),
    ],
    ids=["paused", "degraded", "progressing", "unobserved", "old controller", "resuming"],
)
def test_a_rollouts_phase_is_believed_only_about_its_own_generation(body: Json, state: State) -> None:
    assert look("rollout", (0, Scene(body, [replica_set()], [pod()]))).state is state


STEPS = [{"setWeight": 20}, {"pause": {"duration": 60}}, {"pause": {}}]


@pytest.mark.parametrize(
    ("strategy", "status", "state"),
    [
        ({"canary": {"steps": STEPS}}, {"reason": "CanaryPauseStep", "step": 1}, State.PROGRESSING),
        ({"canary": {"steps": STEPS}}, {"reason": "CanaryPauseStep", "step": 2}, State.NEEDS_ACTION),
        ({"canary": {"steps": STEPS}}, {"reason": "InconclusiveAnalysisRun", "step": 1}, State.NEEDS_ACTION),
        ({"blueGreen": {"autoPromotionSeconds": 30}}, {"reason": "BlueGreenPause", "step": 0}, State.PROGRESSING),
        ({"blueGreen": {}}, {"reason": "BlueGreenPause", "step": 0}, State.NEEDS_ACTION),
    ],
    ids=["step with an end", "step without", "inconclusive analysis", "promotion by the clock", "promotion by hand"],
)
def test_a_pause_that_ends_by_itself_needs_nobody(strategy: Json, status: Json, state: State) -> None:
    body = rollout("Paused", pauseConditions=[{"reason": status["reason"]}], currentStepIndex=status["step"])
    body["spec"]["strategy"] = strategy
    assert look("rollout", (0, Scene(body, [replica_set()], [pod()]))).state is state


def test_a_planned_pause_is_no_lack_of_progress() -> None:
    body = rollout("Paused", pauseConditions=[{"reason": "CanaryPauseStep"}], currentStepIndex=1)
    body["spec"]["strategy"] = {"canary": {"steps": STEPS}}
    scene = Scene(body, [replica_set()], [pod()])
    assert look("rollout", (0, scene), (899, scene)).state is State.PROGRESSING
    assert look("rollout", (0, scene), (901, scene)).sentence.startswith("not done in 900 s: paused for 60s")


@pytest.mark.parametrize(
    ("annotated", "seen", "state"),
    [("6", "6", State.COMPLETE), ("6", "5", State.PROGRESSING), ("5", "5", State.PROGRESSING)],
    ids=["seen", "not seen", "another generation was seen"],
)
def test_a_referenced_templates_rollout_is_judged_once_its_generation_was_seen(
    annotated: str, seen: str, state: State
) -> None:
    body = rollout(workloadObservedGeneration=seen)
    body["metadata"]["annotations"]["rollout.argoproj.io/workload-generation"] = annotated
    body["spec"] |= {"workloadRef": {"kind": "Deployment", "name": "web"}}
    read = rollout_kind.with_reference(rollout_kind.read(body), deployment(generation=6))
    snapshot = Snapshot(at=T0, workload=read, revisions=None, pods=None)
    found = rollout_kind.judge(snapshot, expected("rollout"), Memory(began=T0), T0)
    assert found.state is state


def test_old_pods_of_a_rollout_count_where_they_were_asked_to_go() -> None:
    scene = Scene(rollout(), [replica_set()], [pod(), old_pod()])
    assert look("rollout", (0, scene), wait_old_gone=True).sentence == "old pod web-old-1 has not gone"


def job(*conditions: Json, succeeded: int = 0, suspend: bool = False, ttl: int | None = None) -> Json:
    spec: Json = {"template": template(WANTED), "selector": {"matchLabels": {"app": "web"}}, "completions": 1}
    if ttl is not None:
        spec["ttlSecondsAfterFinished"] = ttl
    return {
        "metadata": {"name": "web", "namespace": "t", "uid": "job", "generation": 1},
        "spec": {**spec, "suspend": suspend},
        "status": {"succeeded": succeeded, "active": 1 - succeeded, "conditions": list(conditions)},
    }


def is_true(type_: str, reason: str = "") -> Json:
    return {"type": type_, "status": "True", "reason": reason, "message": "said so", "lastTransitionTime": stamp(0)}


SUCCEEDED = pod(owned="job", owner_kind="Job", ready_since=None, phase="Succeeded", container={"restartCount": 0})


def test_a_started_job_is_not_done() -> None:
    starting = pod(owned="job", owner_kind="Job")
    assert look("job", (0, Scene(job(), [], [starting]))).state is State.PROGRESSING


def test_a_complete_job_needs_no_hold() -> None:
    found = look("job", (0, Scene(job(is_true("Complete"), succeeded=1), [], [SUCCEEDED])))
    assert (found.state, found.sentence) == (State.COMPLETE, "complete 1/1, proof: pods")


@pytest.mark.parametrize("type_", ["Failed", "FailureTarget"])
def test_a_failed_job_is_red_with_its_reason(type_: str) -> None:
    found = look("job", (0, Scene(job(is_true(type_, "BackoffLimitExceeded")), [], [])))
    assert found.sentence == "job failed: BackoffLimitExceeded: said so"


def test_a_suspended_job_needs_a_person() -> None:
    assert look("job", (0, Scene(job(suspend=True), [], []))).state is State.NEEDS_ACTION


def test_a_job_that_was_cleaned_up_after_its_work_is_complete() -> None:
    working, gone = Scene(job(succeeded=1, ttl=10), [], []), Scene(None)
    assert look("job", (0, working), (5, gone)).state is State.COMPLETE
    unfinished = Scene(job(ttl=10), [], [])
    assert look("job", (0, unfinished), (5, gone), (40, gone)).reason == "gone"


def test_a_jobs_restarts_are_its_own_business() -> None:
    looping = waiting("CrashLoopBackOff", "", restarts=5, last={"exitCode": 1, "reason": "Error"})
    scene = Scene(job(), [], [pod(owned="job", owner_kind="Job", container=looping, ready_since=None, created=1)])
    assert look("job", (2, scene), (90, scene)).state is State.PROGRESSING


def test_a_job_that_has_decided_waits_for_its_pods_to_end() -> None:
    found = look("job", (0, Scene(job(is_true("SuccessCriteriaMet"), succeeded=1), [], [])))
    assert (found.state, found.sentence) == (
        State.PROGRESSING,
        "1/1 succeeded, 0 active; succeeded, its pods still end",
    )


@pytest.mark.parametrize(
    "reason", ["BackoffLimitExceeded", "DeadlineExceeded", "PodFailurePolicy", "MaxFailedIndexesExceeded"]
)
def test_every_reason_of_a_failed_job_is_named(reason: str) -> None:
    found = look("job", (0, Scene(job(is_true("Failed", reason)), [], [])))
    assert (found.outcome, reason in found.sentence) == (Outcome.RED, True)


def test_a_suspended_cronjob_needs_a_person() -> None:
    body = {
        "metadata": {"name": "web", "namespace": "t", "uid": "cron", "generation": 1},
        "spec": {"schedule": "@daily", "suspend": True, "jobTemplate": {"spec": {"template": template(WANTED)}}},
    }
    assert look("cronjob", (0, Scene(body, [], []))).state is State.NEEDS_ACTION


def test_a_cronjob_promises_only_its_next_run() -> None:
    body = {
        "metadata": {"name": "web", "namespace": "t", "uid": "cron", "generation": 1},
        "spec": {"schedule": "@daily", "jobTemplate": {"spec": {"template": template(WANTED)}}},
    }
    found = look("cronjob", (0, Scene(body, [], [])))
    assert (found.state, found.proof) == (State.COMPLETE, Proof.NONE)
    assert found.sentence == "its next run (@daily) has the image; not run yet"


@pytest.mark.parametrize(
    ("typed", "expected_kind"),
    [("deploy", "deployment"), ("STS", "statefulset"), ("daemonsets.apps", "daemonset"), ("ro", "rollout")],
)
def test_a_kind_is_known_by_the_names_kubectl_takes(typed: str, expected_kind: str) -> None:
    kind = kind_named(typed)
    assert kind is not None
    assert kind.name == expected_kind
    assert kind_named("pods") is None


def test_paths_are_those_of_the_api() -> None:
    assert KINDS["job"].path("t", "web") == "/apis/batch/v1/namespaces/t/jobs/web"
    assert REPOSITORY in WANTED
