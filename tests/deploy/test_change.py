"""``deploy restart`` and ``deploy rollback``: what is written, and what is refused before anything is."""

from __future__ import annotations

from typing import Any

import pytest

from homelab.deploy.change import RESTARTED_AT, restart, rollback
from homelab.deploy.gitops import ownership
from homelab.deploy.history import history
from homelab.errors import HttpStatus, NothingThere, PersonNeeded, UsageError
from homelab.kube.port import MERGE_PATCH, Json, Patch
from homelab.settings.model import DeployTarget
from tests.deploy.fakes import FakeCluster, Objects
from tests.deploy.gitops.test_ownership import application, kustomization
from tests.deploy.objects import OLD, WANTED, deployment, old_replica_set, pod, replica_set
from tests.deploy.objects import Json as Object
from tests.deploy.test_kinds import REVISIONS, daemons, stateful
from tests.deploy.test_wait import AFTER
from tests.fakes import FakeClock

WEB = DeployTarget("t", "web")
PATH = "/apis/apps/v1/namespaces/t/deployments/web"


def with_marks(**marks: Any) -> Object:
    body = deployment()
    body["metadata"]["annotations"] |= marks.get("annotations", {})
    body["metadata"]["labels"] = marks.get("labels", {})
    return body


def cluster(clock: FakeClock, **objects: list[Object]) -> FakeCluster:
    return FakeCluster(clock, [(0, {**AFTER, **objects})])


def test_a_restart_stamps_the_template_as_kubectl_does(clock: FakeClock) -> None:
    found = cluster(clock)
    result = restart(found, WEB, clock=clock)
    ((path, body),) = found.patched
    assert isinstance(body, dict)
    assert path == PATH
    assert list(body["spec"]["template"]["metadata"]["annotations"]) == [RESTARTED_AT]
    assert result.lines() == [f"next: homelab deploy wait t/web --image {WANTED} --container app"]


def test_the_wait_that_follows_is_for_the_cluster_that_was_typed(clock: FakeClock) -> None:
    for result in (
        restart(cluster(clock), WEB, clock=clock, context="home"),
        rollback(cluster(clock), WEB, to=1, clock=clock, context="home"),
    ):
        assert result.lines()[0].startswith("next: homelab deploy wait t/web@home ")


def test_a_restart_alone_is_nothing_to_go_back_from(clock: FakeClock) -> None:
    restarted, live = replica_set(name="web-a", revision="1", want=0), replica_set(name="web-new", revision="2")
    live["spec"]["template"]["metadata"]["annotations"] = {RESTARTED_AT: "2026-11-21T00:00:00Z"}
    found = cluster(clock, deployments=[deployment(revision="2")], replicasets=[restarted, live])
    with pytest.raises(NothingThere, match="no earlier revision that differs"):
        rollback(found, WEB, to=None, clock=clock)
    assert found.patched == []


def test_history_reads_the_commit_from_the_templates_label_where_the_tag_has_none(clock: FakeClock) -> None:
    live = replica_set(name="web-new", revision="2")
    live["spec"]["template"]["metadata"]["labels"]["app.kubernetes.io/version"] = "0123456789ab"
    live["spec"]["template"]["spec"]["containers"][0]["image"] = "reg.example/t/app:v1.4"
    result = history(cluster(clock, replicasets=[live]), WEB, clock=clock)
    assert result.lines() == ["*   2  reg.example/t/app:v1.4  0123456789ab  1h old  1 pod"]


def test_a_paused_workload_is_neither_restarted_nor_rolled_back(clock: FakeClock) -> None:
    found = cluster(clock, deployments=[deployment(paused=True)])
    for change in (lambda: restart(found, WEB, clock=clock), lambda: rollback(found, WEB, to=None, clock=clock)):
        with pytest.raises(PersonNeeded, match="paused"):
            change()
    assert found.patched == []


def test_a_rollback_puts_the_earlier_template_back_unless_the_spec_changed(clock: FakeClock) -> None:
    found = cluster(clock)
    result = rollback(found, WEB, to=None, clock=clock)
    ((path, operations),) = found.patched
    assert isinstance(operations, list)
    assert path == PATH
    assert operations[0] == {"op": "test", "path": "/metadata/generation", "value": 5}
    assert operations[1]["value"]["spec"]["containers"][0]["image"] == OLD
    assert "pod-template-hash" not in operations[1]["value"]["metadata"]["labels"]
    assert (result.headline, result.image) == ("t/web: rolling back from revision 2 to 1", OLD)


def test_a_rollback_skips_restarts_of_the_same_image(clock: FakeClock) -> None:
    restarted = replica_set(name="web-mid", revision="2", want=0)
    live = replica_set(name="web-new", revision="3")
    sets = [old_replica_set(), restarted, live]
    found = cluster(clock, deployments=[deployment(revision="3")], replicasets=sets)
    assert rollback(found, WEB, to=None, clock=clock).revision == 1


def test_a_revision_that_is_not_kept_lists_those_that_are(clock: FakeClock) -> None:
    with pytest.raises(NothingThere) as raised:
        rollback(cluster(clock), WEB, to=7, clock=clock)
    assert raised.value.why == "kept are: 1, 2"


def test_the_live_revision_needs_no_rollback(clock: FakeClock) -> None:
    found = cluster(clock)
    assert rollback(found, WEB, to=2, clock=clock).unchanged
    assert found.patched == []


SELF_HEALING = application(automated={"selfHeal": True})


@pytest.mark.parametrize(
    ("body", "owners"),
    [
        (with_marks(annotations={ownership.TRACKING: "shop:apps/Deployment:t/web"}), {"applications": [SELF_HEALING]}),
        (with_marks(annotations={ownership.TRACKING: "shop:apps/Deployment:t/web"}), {}),
        (
            with_marks(
                labels={
                    "kustomize.toolkit.fluxcd.io/name": "apps",
                    "kustomize.toolkit.fluxcd.io/namespace": "flux-system",
                }
            ),
            {"kustomizations": [kustomization()]},
        ),
    ],
    ids=["argo heals itself", "argo, unreadable", "flux"],
)
def test_a_rollback_that_gitops_would_revert_is_refused(clock: FakeClock, body: Object, owners: Objects) -> None:
    found = cluster(clock, deployments=[body], **owners)
    with pytest.raises(PersonNeeded, match="would put it back at once"):
        rollback(found, WEB, to=None, clock=clock)
    assert found.patched == []
    rollback(found, WEB, to=None, clock=clock, force=True)
    assert len(found.patched) == 1


def test_an_argo_that_does_not_heal_itself_does_not_stand_in_the_way(clock: FakeClock) -> None:
    body = with_marks(annotations={ownership.TRACKING: "shop:apps/Deployment:t/web"})
    found = cluster(clock, deployments=[body], applications=[application()])
    rollback(found, WEB, to=None, clock=clock)
    assert len(found.patched) == 1


def test_a_daemonset_goes_back_by_its_controllerrevisions_data(clock: FakeClock) -> None:
    owners = [{"kind": "DaemonSet", "name": "web", "uid": "ds", "controller": True}]
    kept = [{**item, "metadata": {**item["metadata"], "ownerReferences": owners}} for item in REVISIONS]
    found = cluster(clock, daemonsets=[daemons()], controllerrevisions=kept, pods=[])
    rollback(found, DeployTarget("t", "web", "daemonset"), to=None, clock=clock)
    ((_, body),) = found.patched
    assert isinstance(body, dict)
    assert body["spec"]["template"]["spec"]["containers"][0]["image"] == OLD


def test_a_statefulsets_history_comes_from_its_controllerrevisions(clock: FakeClock) -> None:
    owners = [{"kind": "StatefulSet", "name": "web", "uid": "sts", "controller": True}]
    kept = [{**item, "metadata": {**item["metadata"], "ownerReferences": owners}} for item in REVISIONS]
    found = cluster(clock, statefulsets=[stateful()], controllerrevisions=kept, pods=[])
    result = history(found, DeployTarget("t", "web", "statefulset"), clock=clock)
    assert [(past.number, past.live) for past in result.revisions] == [(2, True), (1, False)]


def test_history_names_commit_and_subject_and_marks_the_live_one(clock: FakeClock) -> None:
    subjects = {"0123456789ab": "Sell shoes", "fedcba987654": "Open the shop"}
    result = history(cluster(clock), WEB, clock=clock, subject=lambda commit: subjects.get(commit, ""))
    assert result.lines() == [
        f"*   2  {WANTED}  Sell shoes  1h old  1 pod",
        f"    1  {OLD}  Open the shop  1h old",
    ]


def test_a_job_neither_restarts_nor_has_a_history(clock: FakeClock) -> None:
    body = {"metadata": {"name": "web", "namespace": "t", "uid": "job"}, "spec": {}, "status": {}}
    found = cluster(clock, jobs=[body])
    target = DeployTarget("t", "web", "job")
    with pytest.raises(UsageError, match="does not roll"):
        restart(found, target, clock=clock)
    with pytest.raises(UsageError, match="has no revisions"):
        history(found, target, clock=clock)


def test_an_absent_workload_is_nothing_there(clock: FakeClock) -> None:
    with pytest.raises(NothingThere):
        restart(cluster(clock), DeployTarget("t", "nope"), clock=clock)


class Racing(FakeCluster):
    """A cluster where somebody else is always faster."""

    def patch(self, path: str, body: Patch, *, content_type: str = MERGE_PATCH) -> Json:
        raise HttpStatus("422", status=422, why="the test operation failed", fix="look")


def test_a_race_with_another_change_is_said_and_nothing_is_written(clock: FakeClock) -> None:
    racing = Racing(clock, [(0, {**AFTER, "pods": [pod()]})])
    with pytest.raises(PersonNeeded, match="at the same moment"):
        rollback(racing, WEB, to=None, clock=clock)
