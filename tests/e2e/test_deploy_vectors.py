"""The state vectors once more, each as objects in the lab's API server and a whole command over virtual time.

The lab's controllers are frozen: a state stays as it was written, however long the command looks at it.
"""

from __future__ import annotations

import io
import itertools
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from homelab.cli import run
from homelab.world import World
from tests.deploy.lab import Answer, Lab, lab
from tests.deploy.objects import (
    FULL,
    NEWER,
    OLD,
    REPOSITORY,
    T0,
    WANTED,
    Json,
    deployment,
    image,
    old_pod,
    old_replica_set,
    pod,
    progressing,
    replica_set,
    running,
    template,
    waiting,
)
from tests.deploy.test_kinds import daemon, daemons, member, revision, rollout, stateful
from tests.fakes import FakeClock

NUMBERS = itertools.count(1)
APPS, CORE, ARGO = "/apis/apps/v1", "/api/v1", "/apis/argoproj.io/v1alpha1"


@dataclass
class Stage:
    """A frozen cluster in which objects are put as they should be seen."""

    lab: Lab
    namespace: str
    uids: dict[str, str] = field(default_factory=dict)

    def put(self, api: str, plural: str, body: Json) -> Json:
        """Create ``body`` with the uids the server gave to its owners; then write its status as a controller would."""
        about, wanted = body["metadata"], body["metadata"].get("uid", "")
        owners = [
            {**one, "apiVersion": "apps/v1", "uid": self.uids[one["uid"]]} for one in about.get("ownerReferences", [])
        ]
        metadata = {key: about[key] for key in ("name", "labels", "annotations") if key in about}
        made = {**body, "metadata": {**metadata, "namespace": self.namespace, "ownerReferences": owners}}
        path = f"{api}/namespaces/{self.namespace}/{plural}"
        found = self.lab.cluster.request("POST", path, {key: made[key] for key in made if key != "status"})
        self.uids[wanted] = found["metadata"]["uid"]
        return self.status(api, plural, body, found["metadata"].get("generation", 1))

    def status(self, api: str, plural: str, body: Json, generation: int) -> Json:
        """Write the status; an observed generation becomes the server's own, a lagging one stays behind."""
        status = dict(body.get("status") or {})
        if "observedGeneration" in status:
            lag = body["metadata"]["generation"] - int(status["observedGeneration"])
            observed = generation - lag
            status["observedGeneration"] = str(observed) if isinstance(status["observedGeneration"], str) else observed
        group, _, version = api.removeprefix("/apis/").removeprefix("/api/").rpartition("/")
        where = {
            "group": group,
            "version": version,
            "plural": plural,
            "namespace": self.namespace,
            "name": body["metadata"]["name"],
        }
        return self.lab.cluster.lab("objects/status", {**where, "status": status})

    def deployment(self, body: Json, sets: list[Json], pods: list[Json]) -> None:
        """Put a Deployment with its ReplicaSets and pods."""
        self.put(APPS, "deployments", body)
        for one in sets:
            self.put(APPS, "replicasets", one)
        for one in pods:
            self.put(CORE, "pods", one)

    def wait(self, *options: str, target: str = "web", acts: Sequence[Act] = ()) -> Answer:
        """Run ``deploy wait`` over a clock that no real second moves; ``acts`` happen at their virtual seconds."""
        stdout, stderr = io.StringIO(), io.StringIO()
        clock = Acting(acts)
        world = World(env=self.lab.env, cwd=self.lab.home, stdin=None, stdout=stdout, stderr=stderr, clock=clock)
        words = [
            "deploy",
            "wait",
            f"{self.namespace}/{target}",
            "--sha",
            FULL,
            "--stable-for",
            "0",
            "--timeout",
            "60s",
            *options,
        ]
        self.lab.joined(code := run(words, world))
        return Answer(code, stdout.getvalue(), stderr.getvalue())


#: (virtual seconds after the begin, what happens then)
Act = tuple[float, Callable[[], object]]


class Acting(FakeClock):
    """Virtual time in which something happens on the way."""

    def __init__(self, acts: Sequence[Act]) -> None:
        super().__init__(start=time.time())
        self.acts = sorted(acts, key=lambda act: act[0])

    def sleep(self, seconds: float) -> None:
        until = self.time + seconds
        while self.acts and self.began + self.acts[0][0] <= until:
            at, act = self.acts.pop(0)
            self.time = max(self.time, self.began + at)
            act()
        super().sleep(max(until - self.time, 0.0))


@pytest.fixture(scope="module")
def frozen(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    with lab(tmp_path_factory.mktemp("frozen"), nodes=3) as running_lab:
        yield running_lab


@pytest.fixture
def stage(frozen: Lab) -> Stage:
    """A namespace of its own for each test: nothing is cleaned up behind frozen controllers."""
    number = next(NUMBERS)
    frozen.cluster.lab(f"namespaces/t{number}")
    frozen.cluster.lab("controllers/freeze", {})
    return Stage(frozen, namespace=f"t{number}")


NEW_SET, OLD_SET = replica_set(), old_replica_set()
SERVING = old_replica_set(want=1, available=1)
MOVING = [progressing("ReplicaSetUpdated")]


def exceeded(name: str) -> list[Json]:
    return [progressing("ProgressDeadlineExceeded", f'ReplicaSet "{name}" has timed out progressing.', "False")]


UNREADY = pod(container=running(ready=False), ready_since=None)
UNSTARTED = pod(container=waiting("ContainerCreating"), ready_since=None, phase="Pending")
DEPLOYMENTS: dict[str, tuple[Json, list[Json], list[Json], tuple[str, ...], int]] = {
    "1 a perfect old template": (
        deployment(OLD, revision="1"),
        [replica_set(OLD, name="web-old", revision="1")],
        [old_pod()],
        ("--reference-timeout", "20s"),
        7,
    ),
    "2 an old ready pod beside a new unready one": (
        deployment(counts=(1, 1, 1, 2), conditions=MOVING),
        [replica_set(available=0), SERVING],
        [UNREADY, old_pod()],
        (),
        8,
    ),
    "3 the instant before the first new pod": (
        deployment(counts=(0, 1, 1, 1), conditions=MOVING),
        [replica_set(want=0), SERVING],
        [old_pod()],
        (),
        8,
    ),
    "4 counters of an older generation": (deployment(generation=5, observed=4), [NEW_SET, OLD_SET], [pod()], (), 8),
    "5 paused": (deployment(paused=True, counts=(0, 1, 1, 1)), [SERVING], [old_pod()], (), 6),
    "6 nothing wanted": (deployment(want=0, counts=(0, 0, 0, 0)), [replica_set(want=0)], [], (), 6),
    "6 nothing wanted and that is fine": (
        deployment(want=0, counts=(0, 0, 0, 0)),
        [replica_set(want=0)],
        [],
        ("--allow-zero",),
        0,
    ),
    "7 a deadline of another replicaset": (
        deployment(counts=(0, 1, 1, 1), conditions=exceeded("web-old")),
        [replica_set(available=0), SERVING],
        [old_pod()],
        (),
        8,
    ),
    "8 a deadline of the new replicaset": (
        deployment(counts=(1, 0, 0, 1), conditions=exceeded("web-new")),
        [replica_set(available=0)],
        [UNREADY],
        (),
        1,
    ),
    "12 one restart": (
        deployment(counts=(1, 0, 0, 1), conditions=MOVING),
        [replica_set(available=0)],
        [pod(container=waiting("CrashLoopBackOff", restarts=1), ready_since=None)],
        ("--timeout", "20s"),
        8,
    ),
}


@pytest.mark.parametrize("name", DEPLOYMENTS)
def test_a_deployments_state_ends_with_its_code(stage: Stage, name: str) -> None:
    body, sets, pods, options, code = DEPLOYMENTS[name]
    stage.deployment(body, sets, pods)
    answer = stage.wait(*options)
    assert answer.code == code, answer.stderr


def test_9_an_old_pod_that_terminates(stage: Stage) -> None:
    stage.deployment(deployment(), [NEW_SET, OLD_SET], [pod(), old_pod()])
    stage.lab.cluster.request(
        "DELETE", f"{CORE}/namespaces/{stage.namespace}/pods/web-old-1", {"gracePeriodSeconds": 30}
    )
    assert stage.wait().code == 0
    assert stage.wait("--wait-old-gone").code == 8


def test_10_a_crash_five_seconds_after_completion(stage: Stage) -> None:
    born = time.time() - T0
    stage.deployment(deployment(), [NEW_SET, OLD_SET], [pod(ready_since=born)])

    def crash() -> None:
        stage.status(CORE, "pods", pod(container=running(restarts=1, ready=False), ready_since=None), 1)
        stage.status(APPS, "replicasets", replica_set(available=0), 1)
        stage.status(APPS, "deployments", deployment(counts=(1, 0, 0, 1)), 1)

    answer = stage.wait("--stable-for", "10s", acts=[(5, crash)])
    assert answer.code == 1, answer.stderr
    assert "crash: web-new-1 was Ready, then crashed" in answer.stderr


def test_11_an_image_that_is_not_there_while_the_old_pod_serves(stage: Stage) -> None:
    missing = waiting("ImagePullBackOff", f'Back-off pulling image "{WANTED}": ErrImagePull: {WANTED}: not found')
    stage.deployment(
        deployment(counts=(1, 1, 1, 2), conditions=MOVING),
        [replica_set(available=0), SERVING],
        [pod(container=missing, ready_since=None, phase="Pending"), old_pod()],
    )
    answer = stage.wait()
    assert answer.code == 1
    assert f"image-missing: {WANTED}: ImagePullBackOff: not found" in answer.stderr


def test_13_a_template_that_names_another_commit(stage: Stage) -> None:
    stage.deployment(deployment(counts=(1, 0, 0, 1), conditions=MOVING), [replica_set(available=0)], [UNSTARTED])
    body = {"spec": {"template": template(image(NEWER))}}
    path = f"{APPS}/namespaces/{stage.namespace}/deployments/web"
    patch = "application/strategic-merge-patch+json"
    threading.Timer(0.5, lambda: stage.lab.cluster.request("PATCH", path, body, content_type=patch)).start()
    answer = stage.wait("--timeout", "100000s", "--patient")
    assert answer.code == 9, answer.stderr


def test_14_a_pinned_digest_with_a_platforms_image_id(stage: Stage) -> None:
    digest = f"sha256:{'a' * 64}"
    pinned = f"{REPOSITORY}:{FULL[:12]}@{digest}"
    other = running(image_id=f"{REPOSITORY}@sha256:{'b' * 64}")
    stage.deployment(deployment(pinned), [replica_set(pinned)], [pod(img=pinned, container=other)])
    assert stage.wait("--no-registry").code == 6
    answer = stage.wait("--digest", digest)
    assert (answer.code, "proof: digest" in answer.stderr) == (0, True)
    assert stage.wait("--digest", f"sha256:{'c' * 64}", "--reference-timeout", "1s", "--no-registry").code == 7


@pytest.mark.parametrize(
    ("fields", "code", "reason"),
    [
        ({"partition": 3, "updated": 0, "current": "old"}, 6, "staged"),
        ({"kind": "OnDelete", "updated": 0, "current": "old"}, 6, "OnDelete"),
    ],
    ids=["15 partition", "16 ondelete"],
)
def test_a_statefulset_that_waits_for_a_person(stage: Stage, fields: Any, code: int, reason: str) -> None:
    stage.put(APPS, "statefulsets", stateful(**fields))
    for number in range(3):
        stage.put(CORE, "pods", member(number, "old"))
    answer = stage.wait(target="statefulset/web")
    assert answer.code == code
    assert reason in answer.stderr


def test_17_a_statefulset_blocked_by_a_broken_old_pod(stage: Stage) -> None:
    stage.put(APPS, "statefulsets", stateful(want=1, updated=0, ready=0, current="old"))
    broken = waiting("ImagePullBackOff", "not found")
    stage.put(CORE, "pods", member(0, "old", container=broken, ready_since=None, phase="Pending"))
    answer = stage.wait("--timeout", "10m", target="statefulset/web")
    assert answer.code == 1
    assert "blocked: web-0 of an old revision is not Ready" in answer.stderr


def test_18_a_daemonset_with_one_dead_node(stage: Stage) -> None:
    stage.lab.cluster.lab("nodes/lab-3", {"ready": False})
    stage.put(APPS, "daemonsets", daemons(updated=2, available=2))
    for number, name in ((2, "new"), (1, "old")):
        body = revision(number, name)
        owners = [{"kind": "DaemonSet", "name": "web", "uid": "ds", "controller": True}]
        stage.put(APPS, "controllerrevisions", {**body, "metadata": {**body["metadata"], "ownerReferences": owners}})
    for number, name in ((1, "new"), (2, "new"), (3, "old")):
        fields: Any = {} if name == "new" else {"ready_since": None, "container": running(ready=False)}
        body = daemon(number, name, **fields)
        body["spec"]["nodeName"] = f"lab-{number}"
        stage.put(CORE, "pods", body)
    assert stage.wait(target="daemonset/web").code == 8
    answer = stage.wait("--ignore-unready-nodes", target="daemonset/web")
    stage.lab.cluster.lab("nodes/lab-3", {"ready": True})
    assert answer.code == 0, answer.stderr


def test_19_watches_that_close_expire_and_fall_silent_change_nothing(stage: Stage) -> None:
    stage.deployment(deployment(counts=(1, 1, 1, 2), conditions=MOVING), [replica_set(available=0), SERVING], [UNREADY])
    server = stage.lab.cluster
    acts: list[Act] = [
        (5, lambda: server.lab("watches/cut")),
        (10, lambda: server.lab("watches/expire")),
        (15, lambda: server.lab("versions/expire", {"connect": True})),
        (20, lambda: server.lab("watches/silence")),
    ]
    answer = stage.wait(acts=acts)
    server.lab("mend")
    assert (answer.code, "not done in 60 s" in answer.stderr) == (8, True), answer.stderr


def test_20_pods_that_may_not_be_listed(stage: Stage) -> None:
    stage.deployment(deployment(), [NEW_SET, OLD_SET], [pod()])
    stage.lab.cluster.lab("deny", {"verbs": ["list"], "resources": ["pods", "replicasets"]})
    answer = stage.wait()
    stage.lab.cluster.lab("allow")
    assert (answer.code, "proof: counters" in answer.stderr) == (0, True), answer.stderr


def test_21_an_object_replaced_on_the_way(stage: Stage) -> None:
    stage.deployment(deployment(counts=(1, 0, 0, 1), conditions=MOVING), [replica_set(available=0)], [UNREADY])
    where = {"group": "apps", "version": "v1", "plural": "deployments", "namespace": stage.namespace, "name": "web"}
    answer = stage.wait(acts=[(5, lambda: stage.lab.cluster.lab("objects/replace", where))])
    assert (answer.code, "replaced by a new object; starting over" in answer.stderr) == (8, True), answer.stderr


PIN = f"sha256:{'a' * 64}"
MATCHING: list[tuple[str, int]] = [
    (f"{REPOSITORY}:{FULL}", 0),
    (f"{REPOSITORY}:{FULL.upper()}", 0),
    (f"{REPOSITORY}:{FULL[:12]}", 0),
    (f"{REPOSITORY}:{FULL[:7]}", 0),
    (f"{REPOSITORY}:commit012345678", 0),
    (f"{REPOSITORY}:v0123456789ab", 0),
    (f"{REPOSITORY}:build.0123456789.1", 0),
    (f"{REPOSITORY}:sha-0123456", 0),
    (f"{REPOSITORY}:main-01234567-1700000000", 0),
    (f"{REPOSITORY}:v1.2-4-g012345678", 0),
    (f"{REPOSITORY}:0123456789ab-arm64", 0),
    (f"{REPOSITORY}:pr-12-{FULL}", 0),
    ("reg.example:5000/t/app:0123456789ab", 0),
    ("reg.example:5000/t/app", 7),
    ("[::1]:5000/a:v", 7),
    (f"a:v1@{PIN}", 0),
    (f"a:v1@sha256:{'b' * 64}", 7),
    (REPOSITORY, 7),
    (f"{REPOSITORY}:latest", 7),
    (f"{REPOSITORY}:20261121", 7),
    (f"{REPOSITORY}:012345", 7),
    (f"{REPOSITORY}:x123456789abc", 7),
    (f"{REPOSITORY}:0123456789abx", 7),
    (f"{REPOSITORY}:deadbee0123456789ab", 7),
    (f"{REPOSITORY}:0123456789ab-dirty", 7),
]


@pytest.mark.parametrize(("live", "code"), MATCHING, ids=[live for live, _ in MATCHING])
def test_a_live_reference_is_the_commits_or_not(stage: Stage, live: str, code: int) -> None:
    stage.deployment(deployment(live), [replica_set(live)], [pod(img=live)])
    digest = ("--digest", PIN) if "@" in live else ()
    answer = stage.wait("--reference-timeout", "1s", "--no-registry", *digest)
    assert answer.code == code, answer.stderr


def test_22_a_healthy_rollout_whose_stable_replicaset_is_another(stage: Stage) -> None:
    def owned_by_rollout(name: str, img: str) -> Json:
        body = replica_set(img, name=name)
        body["metadata"]["ownerReferences"][0]["kind"] = "Rollout"
        body["metadata"]["labels"] = {"rollouts-pod-template-hash": name.removeprefix("web-"), "app": "web"}
        return body

    body = rollout(current="new", stable="old")
    stage.put(ARGO, "rollouts", body)
    stage.put(APPS, "replicasets", owned_by_rollout("web-new", WANTED))
    stage.put(CORE, "pods", pod())
    assert stage.wait(target="rollout/web").code == 8
    stage.status(ARGO, "rollouts", rollout(current="new", stable="new"), 1)
    answer = stage.wait(target="rollout/web")
    assert answer.code == 0, answer.stderr
