"""What writes mean: defaults, validation, generations, status, deletion."""

from __future__ import annotations

import pytest

from homelab.lab.kubernetes.kinds import CONFIG_MAP, DEPLOYMENT, NAMESPACE, POD, REPLICA_SET, find
from homelab.lab.kubernetes.refusals import Refusal
from tests.lab.kubernetes.fakes import APP, VirtualLab, deployment


@pytest.fixture
def lab() -> VirtualLab:
    return VirtualLab({"v1": {}})


def test_what_a_manifest_leaves_out_is_filled_in(lab):
    spec = lab.create(DEPLOYMENT, deployment(f"{APP}:v1"))["spec"]
    assert (spec["replicas"], spec["progressDeadlineSeconds"], spec["revisionHistoryLimit"]) == (1, 600, 10)
    assert spec["strategy"] == {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": "25%", "maxUnavailable": "25%"}}
    assert spec["template"]["spec"]["restartPolicy"] == "Always"
    assert spec["template"]["spec"]["containers"][0]["imagePullPolicy"] == "IfNotPresent"


@pytest.mark.parametrize(("image", "policy"), [("a/b", "Always"), ("a/b:latest", "Always"), ("a/b:v1", "IfNotPresent")])
def test_the_pull_policy_follows_the_tag(lab, image, policy):
    spec = lab.create(DEPLOYMENT, deployment(image))["spec"]["template"]["spec"]
    assert spec["containers"][0]["imagePullPolicy"] == policy


def test_a_spec_change_moves_the_generation_and_a_label_does_not(lab):
    lab.create(DEPLOYMENT, deployment(f"{APP}:v1"))
    assert lab.change(DEPLOYMENT, replicas=2)["metadata"]["generation"] == 2

    def label(item: dict) -> dict:
        item["metadata"]["labels"]["more"] = "x"
        return item

    assert lab.api.change(DEPLOYMENT, "demo", "web", label)["metadata"]["generation"] == 2


def test_an_annotation_moves_the_generation_of_a_deployment_only(lab):
    lab.create(DEPLOYMENT, deployment(f"{APP}:v1"))
    lab.run(5)

    def annotate(item: dict) -> dict:
        item["metadata"].setdefault("annotations", {})["more"] = "x"
        return item

    assert lab.api.change(DEPLOYMENT, "demo", "web", annotate)["metadata"]["generation"] == 2
    name = lab.replica_sets()["v1"]["metadata"]["name"]
    assert lab.api.change(REPLICA_SET, "demo", name, annotate)["metadata"]["generation"] == 1


@pytest.mark.parametrize(
    ("plural", "group", "version", "expected"),
    [
        ("applications", "argoproj.io", "v1alpha1", 2),
        ("kustomizations", "kustomize.toolkit.fluxcd.io", "v1", 1),
    ],
)
def test_a_status_moves_the_generation_of_kinds_without_a_status_path(lab, plural, group, version, expected):
    kind = find(group, version, plural)
    lab.create(kind, {"metadata": {"name": "web"}, "spec": {}})

    def report(item: dict) -> dict:
        item["status"] = {"health": "good"}
        return item

    assert lab.api.change(kind, "demo", "web", report)["metadata"]["generation"] == expected


def test_a_status_in_a_plain_write_is_ignored(lab):
    body = deployment(f"{APP}:v1")
    body["status"] = {"replicas": 7}
    assert lab.create(DEPLOYMENT, body)["status"] == {}

    def cheat(item: dict) -> dict:
        item["status"] = {"replicas": 7}
        return item

    assert lab.api.change(DEPLOYMENT, "demo", "web", cheat)["status"] == {}


def test_a_status_write_leaves_the_spec_alone(lab):
    body = lab.create(DEPLOYMENT, deployment(f"{APP}:v1"))
    changed = {**body, "spec": {**body["spec"], "replicas": 9}, "status": {"replicas": 7}}
    written = lab.api.replace(DEPLOYMENT, "demo", "web", changed, part="status")
    assert (written["spec"]["replicas"], written["status"], written["metadata"]["generation"]) == (
        1,
        {"replicas": 7},
        1,
    )


def test_a_dry_run_changes_nothing(lab):
    item = lab.api.create(DEPLOYMENT, "demo", deployment(f"{APP}:v1"), dry_run=True)
    assert item["spec"]["replicas"] == 1
    assert lab.store.find(DEPLOYMENT, "demo", "web") is None


def refused(lab: VirtualLab, body: dict, code: int = 422) -> Refusal:
    with pytest.raises(Refusal) as refusal:
        lab.create(DEPLOYMENT, body)
    assert refusal.value.code == code
    return refusal.value


def test_a_selector_that_misses_the_template_is_invalid(lab):
    body = deployment(f"{APP}:v1")
    body["spec"]["selector"]["matchLabels"] = {"app": "other"}
    found = refused(lab, body)
    assert found.details["causes"][0]["field"] == "spec.template.metadata.labels"
    assert "`selector` does not match template `labels`" in found.message


def test_every_mistake_is_named_at_once(lab):
    body = deployment(f"{APP}:v1")
    body["metadata"]["name"] = "Web_1"
    body["spec"]["replicas"] = -1
    body["spec"]["template"]["spec"]["containers"] = [{"name": "app"}]
    fields = [cause["field"] for cause in refused(lab, body).details["causes"]]
    assert fields == ["metadata.name", "spec.replicas", "spec.template.spec.containers[0].image"]


def test_a_selector_cannot_change(lab):
    lab.create(DEPLOYMENT, deployment(f"{APP}:v1"))
    with pytest.raises(Refusal, match="field is immutable"):
        lab.change(
            DEPLOYMENT,
            selector={"matchLabels": {"x": "y"}},
            template={"metadata": {"labels": {"x": "y"}}, "spec": {"containers": [{"name": "a", "image": "b"}]}},
        )


def test_an_object_in_an_unknown_namespace_is_not_found(lab):
    with pytest.raises(Refusal, match='namespaces "nowhere" not found'):
        lab.api.create(CONFIG_MAP, "nowhere", {"metadata": {"name": "one"}})


def test_an_object_of_another_kind_is_a_bad_request(lab):
    refused(lab, {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "x"}}, 400)


def test_a_generated_name_begins_as_asked(lab):
    item = lab.create(CONFIG_MAP, {"metadata": {"generateName": "one-"}})
    assert item["metadata"]["name"].startswith("one-")
    assert len(item["metadata"]["name"]) == 9


def test_a_precondition_that_does_not_hold_keeps_the_object(lab):
    lab.create(CONFIG_MAP, {"metadata": {"name": "one"}})
    with pytest.raises(Refusal, match="Precondition failed") as refusal:
        lab.api.delete(CONFIG_MAP, "demo", "one", preconditions={"uid": "another"})
    assert refusal.value.code == 409
    assert lab.store.find(CONFIG_MAP, "demo", "one")


def test_an_object_with_a_finalizer_goes_when_the_finalizer_goes(lab):
    lab.create(CONFIG_MAP, {"metadata": {"name": "one", "finalizers": ["a.test/keep"]}})
    marked = lab.api.delete(CONFIG_MAP, "demo", "one")
    assert marked["metadata"]["deletionTimestamp"]

    def release(item: dict) -> dict:
        item["metadata"]["finalizers"] = []
        return item

    lab.api.change(CONFIG_MAP, "demo", "one", release)
    assert lab.store.find(CONFIG_MAP, "demo", "one") is None


def test_an_orphaning_delete_leaves_the_dependents(lab):
    lab.create(DEPLOYMENT, deployment(f"{APP}:v1"))
    lab.run(5)
    lab.api.delete(DEPLOYMENT, "demo", "web", policy="Orphan")
    lab.run(5)
    (left,) = lab.replica_sets().values()
    assert "ownerReferences" not in left["metadata"]
    assert lab.store.find(DEPLOYMENT, "demo", "web") is None


def test_a_deployment_made_again_adopts_what_an_orphaning_delete_left(lab):
    lab.create(DEPLOYMENT, deployment(f"{APP}:v1"))
    lab.run(5)
    uid = lab.replica_sets()["v1"]["metadata"]["uid"]
    lab.api.delete(DEPLOYMENT, "demo", "web", policy="Orphan")
    lab.run(5)
    owner = lab.create(DEPLOYMENT, deployment(f"{APP}:v1"))
    lab.run(5)
    adopted = lab.replica_sets()["v1"]
    assert adopted["metadata"]["uid"] == uid
    assert adopted["metadata"]["ownerReferences"][0]["uid"] == owner["metadata"]["uid"]


def test_a_foreground_delete_waits_for_the_dependents(lab):
    lab.create(DEPLOYMENT, deployment(f"{APP}:v1"))
    lab.run(5)
    lab.api.delete(DEPLOYMENT, "demo", "web", policy="Foreground")
    lab.run(0.05)
    assert lab.get(DEPLOYMENT)["metadata"]["deletionTimestamp"]
    lab.run(5)
    assert lab.store.find(DEPLOYMENT, "demo", "web") is None
    assert lab.pods() == []


def test_a_deleted_namespace_takes_everything_in_it_along(lab):
    lab.create(DEPLOYMENT, deployment(f"{APP}:v1"))
    lab.run(5)
    lab.api.delete(NAMESPACE, "", "demo")
    assert lab.get(NAMESPACE, "demo")["status"]["phase"] == "Terminating"
    with pytest.raises(Refusal, match="because it is being terminated"):
        lab.create(CONFIG_MAP, {"metadata": {"name": "late"}})
    lab.run(10)
    assert lab.store.find(NAMESPACE, "", "demo") is None
    assert lab.store.list(POD, "demo") == []
