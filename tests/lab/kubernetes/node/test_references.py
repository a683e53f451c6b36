"""Secrets, ConfigMaps and claims that are not there, run through virtual time."""

from __future__ import annotations

import pytest

from homelab.lab.kubernetes.kinds import CLAIM, CONFIG_MAP, DEPLOYMENT, SECRET
from homelab.lab.kubernetes.objects import condition
from tests.lab.kubernetes.fakes import APP, VirtualLab, container, deployment, waiting


@pytest.fixture
def lab() -> VirtualLab:
    return VirtualLab({"v1": {}}, nodes=2)


def start(lab: VirtualLab, *, pod: dict | None = None, **more: object) -> None:
    body = deployment(f"{APP}:v1")
    spec = body["spec"]["template"]["spec"]
    spec["containers"] = [container(f"{APP}:v1", **more)]
    spec |= pod or {}
    lab.create(DEPLOYMENT, body)
    lab.run(5)


def from_key(field: str, name: str, key: str, **more: object) -> list[dict]:
    return [{"name": "A", "valueFrom": {field: {"name": name, "key": key, **more}}}]


def running(lab: VirtualLab) -> bool:
    return lab.get(DEPLOYMENT)["status"].get("availableReplicas", 0) == 1


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"env": from_key("secretKeyRef", "s", "k")}, 'secret "s" not found'),
        ({"env": from_key("configMapKeyRef", "c", "k")}, 'configmap "c" not found'),
        ({"envFrom": [{"secretRef": {"name": "s"}}]}, 'secret "s" not found'),
    ],
)
def test_a_missing_source_of_environment_is_a_config_error(lab, more, message):
    start(lab, **more)
    assert waiting(lab.pods()[0]) == {"reason": "CreateContainerConfigError", "message": message}
    assert f"Error: {message}" in lab.messages("Failed")


def test_a_missing_key_is_named(lab):
    lab.create(CONFIG_MAP, {"metadata": {"name": "c"}, "data": {"other": "x"}})
    start(lab, env=from_key("configMapKeyRef", "c", "k"))
    assert waiting(lab.pods()[0])["message"] == "couldn't find key k in ConfigMap demo/c"


def test_a_secret_that_comes_late_lets_the_container_start(lab):
    start(lab, env=from_key("secretKeyRef", "s", "k"))
    lab.create(SECRET, {"metadata": {"name": "s"}, "data": {"k": "eA=="}})
    lab.run(5)
    assert running(lab)


def test_an_optional_source_may_be_missing(lab):
    start(lab, env=from_key("secretKeyRef", "s", "k", optional=True))
    assert running(lab)


def test_a_volume_of_a_missing_secret_is_not_mounted(lab):
    start(lab, pod={"volumes": [{"name": "v", "secret": {"secretName": "s"}}]})
    assert waiting(lab.pods()[0])["reason"] == "ContainerCreating"
    assert lab.messages("FailedMount") == ['MountVolume.SetUp failed for volume "v" : secret "s" not found']
    lab.create(SECRET, {"metadata": {"name": "s"}})
    lab.run(5)
    assert running(lab)


DATA = {"volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": "data"}}]}


def claim(lab: VirtualLab, **spec: object) -> None:
    lab.create(CLAIM, {"metadata": {"name": "data"}, "spec": {"accessModes": ["ReadWriteOnce"], **spec}})


def test_a_missing_claim_keeps_the_pod_from_being_scheduled(lab):
    start(lab, pod=DATA)
    found = condition(lab.pods()[0], "PodScheduled")
    assert found["message"].startswith('0/2 nodes are available: persistentvolumeclaim "data" not found.')
    claim(lab)
    lab.run(5)
    assert running(lab)


def test_a_claim_of_an_unknown_class_stays_pending(lab):
    claim(lab, storageClassName="fast")
    start(lab, pod=DATA)
    assert lab.get(CLAIM, "data")["status"] == {"phase": "Pending"}
    assert lab.messages("ProvisioningFailed") == ['storageclass.storage.k8s.io "fast" not found']
    assert "unbound immediate PersistentVolumeClaims" in condition(lab.pods()[0], "PodScheduled")["message"]


def test_a_rolling_update_of_a_volume_for_one_node_blocks_on_the_second(lab):
    claim(lab)
    start(lab, pod=DATA)
    old = lab.pods()[0]["metadata"]["name"]
    lab.change(
        DEPLOYMENT,
        template={**lab.get(DEPLOYMENT)["spec"]["template"], "metadata": {"labels": {"app": "web", "v": "2"}}},
    )
    lab.run(10)
    assert lab.messages("FailedAttachVolume") == [
        f'Multi-Attach error for volume "data" Volume is already used by pod(s) {old}'
    ]
    assert len(lab.pods()) == 2
