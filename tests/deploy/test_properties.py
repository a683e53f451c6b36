"""What holds of every verdict, over random clusters. ``HOMELAB_PROPERTY_SEED`` repeats a run; the seed is printed.

The promises are checked on the API objects themselves, not on what the code under test read in them.
"""

from __future__ import annotations

import os
import random
from dataclasses import replace
from typing import Any

from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from homelab.clock import SystemClock, Wake
from homelab.deploy.judgement import Memory, Proof, State, Verdict
from homelab.deploy.memory import remember
from homelab.deploy.reference import Wanted
from homelab.deploy.request import WaitRequest
from homelab.deploy.terms import Beside, Patience
from homelab.deploy.verdict import verdict
from homelab.deploy.wait import wait
from homelab.outcome import Outcome
from homelab.settings.model import DeployTarget
from tests.deploy.fakes import FakeCluster, Objects, typed
from tests.deploy.objects import (
    FULL,
    NEWER,
    OLD,
    T0,
    WANTED,
    Json,
    deployment,
    event,
    image,
    old_replica_set,
    pod,
    progressing,
    replica_set,
    running,
    stamp,
    waiting,
)
from tests.deploy.test_verdict import EXPECTED, Scene
from tests.fakes import FakeClock

SEED = int(os.environ.get("HOMELAB_PROPERTY_SEED") or random.SystemRandom().randrange(2**32))
EXAMPLES = int(os.environ.get("HOMELAB_PROPERTY_EXAMPLES", "60"))
often = settings(
    max_examples=EXAMPLES, deadline=None, database=None, suppress_health_check=list(HealthCheck), print_blob=True
)

IMAGES = st.sampled_from([WANTED, WANTED, OLD, image(NEWER), f"{WANTED}@sha256:{'a' * 64}", f"{WANTED}-dirty"])
SMALL = st.integers(0, 3)
STATES = st.sampled_from(
    [
        running(),
        running(),
        running(ready=False),
        running(restarts=2),
        running(image_id=""),
        waiting("ContainerCreating"),
        waiting("ErrImagePull", "manifest unknown"),
        waiting("ImagePullBackOff", ""),
        waiting("InvalidImageName", "?"),
        waiting("CrashLoopBackOff", "", restarts=4, last={"exitCode": 1, "reason": "Error"}),
        waiting("CreateContainerConfigError", 'secret "x" not found'),
        {"restartCount": 1, "state": {"terminated": {"exitCode": 1}}},
        {},
    ]
)


@st.composite
def pods(draw: st.DrawFn) -> Json:
    number = draw(st.integers(1, 4))
    ready = draw(st.booleans())
    return pod(
        f"pod-{number}",
        owned=draw(st.sampled_from(["web-new", "web-new", "web-old", "stranger"])),
        img=draw(st.sampled_from([WANTED, WANTED, OLD, image(NEWER)])),
        container=draw(STATES),
        ready_since=draw(st.integers(-600, 0)) if ready else None,
        phase=draw(st.sampled_from(["Running", "Running", "Pending", "Failed", "Succeeded"])),
        deleting=draw(st.booleans()) and draw(st.booleans()),
        created=draw(st.integers(-900, 60)),
    )


@st.composite
def conditions(draw: st.DrawFn) -> list[Json]:
    name = draw(st.sampled_from(["web-new", "web-old"]))
    one = draw(
        st.sampled_from(
            [
                progressing(),
                progressing("ReplicaSetUpdated"),
                progressing("ReplicaSetCreateError", "no", "False"),
                progressing("DeploymentPaused", "", "Unknown"),
                progressing("ProgressDeadlineExceeded", f'ReplicaSet "{name}" has timed out progressing.', "False"),
            ]
        )
    )
    dated = {**one, "lastTransitionTime": stamp(draw(st.integers(-900, 600)))}
    return draw(st.sampled_from([[], [one], [dated]]))


@st.composite
def scenes(draw: st.DrawFn) -> Scene:
    """A finished rollout of one or two pods, and up to three things that are otherwise."""
    want = draw(st.sampled_from([1, 1, 2]))
    body = deployment(want=want, counts=(want,) * 4)
    ours = [pod(f"pod-{number}") for number in range(want)]
    sets = [replica_set(want=want), old_replica_set()]
    scene = Scene(body, sets, ours)
    for change in draw(st.lists(st.sampled_from(CHANGES), max_size=3, unique=True)):
        scene = change(draw, scene, body)
    return scene


def _template(draw: st.DrawFn, scene: Scene, body: Json) -> Scene:
    container_of(body["spec"]["template"])["image"] = img = draw(IMAGES)
    if draw(st.booleans()):
        return replace(scene, revisions=[replica_set(img), old_replica_set()])
    return scene


def _counts(draw: st.DrawFn, scene: Scene, body: Json) -> Scene:
    name = draw(st.sampled_from(["updatedReplicas", "readyReplicas", "availableReplicas", "replicas"]))
    body["status"][name] = draw(SMALL)
    return scene


def _want(draw: st.DrawFn, scene: Scene, body: Json) -> Scene:
    body["spec"]["replicas"] = draw(SMALL)
    return scene


def _observed(draw: st.DrawFn, scene: Scene, body: Json) -> Scene:
    body["status"]["observedGeneration"] = draw(st.integers(0, 5))
    return scene


def _condition(draw: st.DrawFn, scene: Scene, body: Json) -> Scene:
    body["status"]["conditions"] = draw(conditions())
    return scene


def _about(draw: st.DrawFn, scene: Scene, body: Json) -> Scene:
    body["metadata"] |= draw(st.sampled_from([{"deletionTimestamp": stamp(0)}, {"uid": "dep-2"}, {"annotations": {}}]))
    return scene


def _paused(_draw: st.DrawFn, scene: Scene, body: Json) -> Scene:
    body["spec"]["paused"] = True
    return scene


def _pods(draw: st.DrawFn, scene: Scene, _body: Json) -> Scene:
    found = {one["metadata"]["name"]: one for one in [*(scene.pods or []), *draw(st.lists(pods(), max_size=2))]}
    return replace(scene, pods=list(found.values()))


def _revisions(draw: st.DrawFn, scene: Scene, _body: Json) -> Scene:
    sets = [replica_set(draw(IMAGES), available=draw(SMALL), revision=draw(st.sampled_from(["1", "2"])))]
    return replace(scene, revisions=draw(st.sampled_from([None, [], sets])))


def _denied(draw: st.DrawFn, scene: Scene, _body: Json) -> Scene:
    return replace(scene, pods=None, events=draw(st.sampled_from([None, []])))


def _old_details(_draw: st.DrawFn, scene: Scene, _body: Json) -> Scene:
    return replace(scene, fresh=False)


def _events(_draw: st.DrawFn, scene: Scene, _body: Json) -> Scene:
    return replace(scene, events=[event("pod-1", "FailedMount", "timed out", at=-300)])


def _absent(_draw: st.DrawFn, scene: Scene, _body: Json) -> Scene:
    return replace(scene, workload=None)


CHANGES = [
    *(_template, _counts, _want, _observed, _condition, _about, _paused),
    *(_pods, _revisions, _denied, _old_details, _events, _absent),
]
WALKS = st.lists(st.tuples(st.floats(0.1, 400), scenes()), min_size=1, max_size=4)


def _never(_image: str) -> bool | None:
    raise AssertionError("a judgement asks nobody")


NOBODY = Beside(_never)


def judged(walk: list[tuple[float, Scene]], **wanted: Any) -> list[tuple[Scene, Verdict]]:
    """Every look's scene and verdict until the first final one."""
    expectation, memory, at = replace(EXPECTED, beside=NOBODY, **wanted), Memory(began=T0), 0.0
    found = []
    for gap, scene in walk:
        at += gap
        snapshot = scene.snapshot(at)
        memory = remember(memory, snapshot, expectation, T0 + at)
        concluded = verdict(snapshot, expectation, memory, T0 + at)
        assert concluded == verdict(snapshot, expectation, memory, T0 + at), "the same facts, the same verdict"
        found.append((scene, concluded))
        if concluded.state.final:
            break
    return found


def container_of(body: Json) -> Json:
    return body["spec"]["containers"][0]  # type: ignore[no-any-return]


def proves(item: Json) -> bool:
    """A pod that is Ready and runs the wanted image, by its own words."""
    ready = any(one["type"] == "Ready" and one["status"] == "True" for one in item["status"]["conditions"])
    status = item["status"]["containerStatuses"][0]
    return (
        ready
        and container_of(item)["image"] == WANTED
        and "running" in status.get("state", {})
        and bool(status.get("ready"))
        and bool(status.get("imageID"))
    )


def lives(item: Json) -> bool:
    return "deletionTimestamp" not in item["metadata"] and item["status"]["phase"] not in ("Failed", "Succeeded")


@seed(SEED)
@often
@given(WALKS)
def test_what_is_called_complete_runs_the_wanted_image_and_nothing_else(walk: list[tuple[float, Scene]]) -> None:
    print(f"seed {SEED}")  # noqa: T201 -- to repeat the run
    for scene, found in judged(walk):
        if found.state is not State.COMPLETE:
            continue
        body = scene.workload
        assert body is not None
        status, spec = body["status"], body["spec"]
        want = spec.get("replicas", 1)
        assert scene.fresh
        assert "deletionTimestamp" not in body["metadata"]
        assert container_of(spec["template"])["image"] == WANTED
        assert status["observedGeneration"] >= body["metadata"]["generation"]
        assert status["updatedReplicas"] == status["replicas"] == want > 0
        assert min(status["readyReplicas"], status["availableReplicas"]) >= want
        if found.proof in (Proof.PODS, Proof.DIGEST):
            assert scene.pods is not None
            ours = [one for one in scene.pods if lives(one)]
            mine = [one for one in ours if one["metadata"]["ownerReferences"][0]["uid"] == "web-new"]
            assert len([one for one in mine if proves(one)]) >= want
            assert mine == ours
        else:
            assert scene.pods is None or scene.revisions is None


@seed(SEED)
@often
@given(WALKS)
def test_patience_is_never_red_but_by_the_controllers_own_deadline_or_a_deletion(
    walk: list[tuple[float, Scene]],
) -> None:
    for _, found in judged(walk, patience=Patience.PATIENT):
        assert found.state is not State.FAILED or found.reason in ("deadline", "gone")


@seed(SEED)
@often
@given(WALKS)
def test_whoever_is_told_to_look_again_is_told_when_and_whoever_is_done_what_to_do(
    walk: list[tuple[float, Scene]],
) -> None:
    for scene, found in judged(walk):
        assert found.again is None or found.again > 0 or not scene.fresh
        assert found.outcome is (Outcome.PENDING if not found.state.final else found.outcome)
        if found.state.final and found.outcome is not Outcome.DONE and found.reason != "gone":
            assert found.hint, found


@seed(SEED)
@often
@given(
    st.integers(-900, -1),
    st.integers(0, 600),
    st.sampled_from(["web-new", "web-old", ""]),
    st.lists(st.floats(0.1, 100), min_size=1, max_size=6),
)
def test_a_condition_older_than_the_template_is_never_red(
    since: int, changed: int, name: str, gaps: list[float]
) -> None:
    late = progressing("ProgressDeadlineExceeded", f'ReplicaSet "{name}" has timed out progressing.', "False")
    if not name:
        late = progressing("ReplicaSetCreateError", "no", "False")
    body = deployment(counts=(1, 0, 0, 1), conditions=[{**late, "lastTransitionTime": stamp(since)}])
    entry = {"manager": "ci", "time": stamp(changed), "fieldsV1": {"f:spec": {"f:template": {}}}}
    body["metadata"]["managedFields"] = [entry]
    starting = pod(container=waiting("ContainerCreating"), ready_since=None, phase="Pending")
    for sets in ([replica_set(available=0)], None):
        walk = [(gap, Scene(body, sets, [starting] if sets else None)) for gap in gaps]
        assert all(found.state is not State.FAILED for _, found in judged(walk))


class JumpingClock(FakeClock):
    """Virtual time whose wall jumps at every look; the clock under test stands on it."""

    def __init__(self, jumps: list[float]) -> None:
        super().__init__()
        self.jumps = list(jumps)
        self.off = 0.0
        self.system = SystemClock(wall=lambda: self.time + self.off, steady=lambda: self.time - self.began)

    def now(self) -> float:
        if self.jumps:
            self.off += self.jumps.pop()
        return self.system.now()

    def wait(self, wake: Wake, seconds: float) -> bool:
        return super().wait(wake, min(seconds, 2.0))


SLOW_SECRET = "pull access denied"
UNPULLED: Objects = {
    "deployments": [deployment(counts=(1, 0, 0, 1), conditions=[progressing("ReplicaSetUpdated")])],
    "replicasets": [replica_set(available=0)],
    "pods": [pod(container=waiting("ErrImagePull", SLOW_SECRET), ready_since=None, phase="Pending", created=1)],
    "events": [event("web-new-1", "Failed", f'Failed to pull image "{WANTED}": {SLOW_SECRET}', at=1)],
}
RUNS: Objects = {
    "deployments": [deployment()],
    "replicasets": [replica_set()],
    "pods": [pod(ready_since=40, created=1)],
}


@seed(SEED)
@settings(parent=often, max_examples=min(EXAMPLES, 25))
@given(st.lists(st.floats(-86_400, 86_400), max_size=60))
def test_a_wall_clock_that_jumps_makes_nothing_red(jumps: list[float]) -> None:
    clock = JumpingClock(jumps)
    cluster = FakeCluster(clock, [(0, UNPULLED), (40, RUNS)])
    request = WaitRequest(targets=(DeployTarget("t", "web"),), wanted=Wanted(oid=FULL))
    result = wait(typed(cluster), request, clock=clock, emit=lambda _event: None)
    assert result.outcome is Outcome.DONE, result.headline
    assert clock.elapsed < 120
