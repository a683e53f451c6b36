"""What ``/_lab/`` does, without the wire."""

from __future__ import annotations

import pytest

from homelab.lab.kubernetes.admin import Admin
from homelab.lab.kubernetes.faults import Faults
from homelab.lab.kubernetes.kinds import DEPLOYMENT
from homelab.lab.kubernetes.refusals import Refusal
from homelab.lab.kubernetes.rules import Access
from tests.lab.kubernetes.fakes import APP, VirtualLab, deployment

WEB = {"group": "apps", "version": "v1", "plural": "deployments", "namespace": "demo", "name": "web"}


@pytest.fixture
def lab() -> VirtualLab:
    lab = VirtualLab({"v1": {}})
    lab.create(DEPLOYMENT, deployment(f"{APP}:v1"))
    lab.run(5)
    return lab


@pytest.fixture
def admin(lab: VirtualLab) -> Admin:
    return Admin(lab.cluster, Faults(), Access({}, lab.store))


def test_an_object_can_be_put_under_a_new_uid(lab, admin):
    before = lab.get(DEPLOYMENT)["metadata"]["uid"]
    after = admin.act(["objects", "replace"], WEB)["metadata"]["uid"]
    assert before != after == lab.get(DEPLOYMENT)["metadata"]["uid"]
    lab.run(10)
    assert lab.get(DEPLOYMENT)["status"]["availableReplicas"] == 1


def test_a_status_can_be_written_as_a_controller_would(lab, admin):
    lab.cluster.loop.frozen = {"deployment"}
    admin.act(["objects", "status"], {**WEB, "status": {"observedGeneration": 7}})
    assert lab.get(DEPLOYMENT)["status"] == {"observedGeneration": 7}


def test_webhooks_are_added_and_mended(lab, admin):
    admin.act(["webhooks"], {"message": "no"})
    assert lab.api.admission.webhooks[0].message == "no"
    admin.act(["mend"], {})
    assert lab.api.admission.webhooks == []


def test_requests_can_be_read_and_started_over(lab):
    faults = Faults()
    admin = Admin(lab.cluster, faults, Access({}, lab.store))
    faults.counts["get pods"] = 3
    assert admin.act(["requests"], {"reset": True}) == {"get pods": 3}
    assert admin.act(["requests"], {}) == {}


def test_an_unknown_controller_is_refused_with_the_known_ones(admin):
    with pytest.raises(Refusal, match=r"no such controller: nosuch; there are .*deployment"):
        admin.act(["controllers", "freeze"], {"names": ["nosuch"]})


@pytest.mark.parametrize(
    ("parts", "body", "code"),
    [
        (["nosuch"], {}, 404),
        (["watches", "nosuch"], {}, 404),
        (["objects", "replace"], {"plural": "gadgets"}, 400),
        (["objects", "replace"], {**WEB, "name": "nope"}, 404),
        (["faults"], {"colour": "red"}, 400),
    ],
)
def test_what_makes_no_sense_is_refused(admin, parts, body, code):
    with pytest.raises(Refusal) as refusal:
        admin.act(parts, body)
    assert refusal.value.code == code
