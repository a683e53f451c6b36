"""What stands between a create and the store."""

from __future__ import annotations

import pytest

from homelab.lab.kubernetes.admission import Webhook
from homelab.lab.kubernetes.kinds import CONFIG_MAP, DEPLOYMENT, SERVICE_ACCOUNT
from homelab.lab.kubernetes.objects import condition
from homelab.lab.kubernetes.refusals import Refusal
from tests.lab.kubernetes.fakes import APP, VirtualLab, deployment

MIRROR = "mirror.homelab.test/demo/app:v1"


@pytest.fixture
def lab() -> VirtualLab:
    lab = VirtualLab({"v1": {}})
    lab.shelf.images[MIRROR] = {}
    return lab


def test_a_webhook_that_denies_pods_is_a_replica_failure(lab):
    lab.api.admission.webhooks.append(Webhook(message="no"))
    lab.create(DEPLOYMENT, deployment(f"{APP}:v1"))
    lab.run(5)
    failure = condition(lab.get(DEPLOYMENT), "ReplicaFailure")
    assert failure["message"] == 'admission webhook "policy.homelab.test" denied the request: no'
    assert lab.pods() == []


def test_a_webhook_reaches_only_its_kind_and_namespace(lab):
    lab.api.admission.webhooks.append(Webhook(plural="configmaps", namespace="other", message="no"))
    lab.create(CONFIG_MAP, {"metadata": {"name": "one"}})
    lab.cluster.ensure_namespace("other")
    with pytest.raises(Refusal, match="denied the request"):
        lab.api.create(CONFIG_MAP, "other", {"metadata": {"name": "one"}})


def test_a_webhook_can_rewrite_the_images_of_pods(lab):
    lab.api.admission.webhooks.append(Webhook(image_from="registry.homelab.test/", image_to="mirror.homelab.test/"))
    lab.create(DEPLOYMENT, deployment(f"{APP}:v1"))
    lab.run(5)
    assert lab.pods()[0]["spec"]["containers"][0]["image"] == MIRROR
    assert lab.get(DEPLOYMENT)["spec"]["template"]["spec"]["containers"][0]["image"] == f"{APP}:v1"
    assert lab.get(DEPLOYMENT)["status"]["availableReplicas"] == 1


def test_a_pod_of_an_unknown_account_is_not_created(lab):
    body = deployment(f"{APP}:v1")
    body["spec"]["template"]["spec"]["serviceAccountName"] = "robot"
    lab.create(DEPLOYMENT, body)
    lab.run(5)
    assert 'serviceaccount "robot" not found' in condition(lab.get(DEPLOYMENT), "ReplicaFailure")["message"]
    lab.create(SERVICE_ACCOUNT, {"metadata": {"name": "robot"}})
    lab.run(60)
    assert lab.get(DEPLOYMENT)["status"]["availableReplicas"] == 1
