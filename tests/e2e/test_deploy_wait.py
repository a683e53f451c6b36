"""``homelab deploy wait``, whole, against the lab's Kubernetes server."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.deploy.lab import NEW, NEXT, OLD, Lab, image, lab


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Lab]:
    with lab(tmp_path) as running:
        running.deployment()
        running.settled()
        yield running


def later(seconds: float, act: object, *args: object, **fields: object) -> None:
    assert callable(act)
    threading.Timer(seconds, lambda: act(*args, **fields)).start()


def wait(shop: Lab, oid: str, *options: str) -> tuple[int, str, str]:
    answer = shop.run("deploy", "wait", "shop/web", "--sha", oid, *options)
    return answer.code, answer.stderr, answer.stdout


def test_a_rollout_that_succeeds_ends_with_its_proof_in_three_lines(shop: Lab) -> None:
    later(0.5, shop.set_image, NEW, labels={})
    answer = shop.run("deploy", "wait", "shop/web", "--sha", NEW, "--stable-for", "1")
    assert answer.code == 0
    assert answer.stderr.splitlines() == [
        "shop/web: wants 0123456789ab, template has 111111111111",
        "shop/web: template names 0123456789ab, revision 2",
        "done (exit 0): shop/web: complete 1/1, proof: pods",
    ]


def test_the_old_rollout_is_no_answer_for_a_new_commit(shop: Lab) -> None:
    code, stderr, _ = wait(shop, NEW, "--reference-timeout", "1")
    assert code == 7
    assert "the template never named 0123456789ab in 1 s; it has 111111111111" in stderr


def test_an_image_that_does_not_exist_is_named_and_fails_early(shop: Lab) -> None:
    later(0.2, shop.set_image, NEXT)
    began = time.monotonic()
    answer = shop.run("deploy", "wait", "shop/web", "--sha", NEXT, "--fail-fast")
    assert answer.code == 1
    assert time.monotonic() - began < 10
    reasons = "(ErrImagePull|ImagePullBackOff)"
    assert re.search(rf"^shop/web: {re.escape(image(NEXT))}: {reasons}: not found$", answer.stderr, re.MULTILINE)
    assert f"red (exit 1): shop/web: image-missing: {image(NEXT)}" in answer.stderr
    assert len(answer.stderr) + len(answer.stdout) < 4096


def test_a_crash_loop_shows_the_last_words_without_their_secret(shop: Lab) -> None:
    words = "connecting to db\npassword=hunter2 refused"
    labels = {"homelab.lab/crash-after": "0.2", "homelab.lab/exit-code": "3", "homelab.lab/log": words}
    later(0.2, shop.set_image, NEXT, labels=labels)
    answer = shop.run("deploy", "wait", "shop/web", "--sha", NEXT)
    assert answer.code == 1
    assert "crash" in answer.stderr
    everything = answer.stderr + answer.stdout
    assert "connecting to db" in everything
    assert "hunter2" not in everything


def test_a_paused_deployment_needs_a_person(shop: Lab) -> None:
    shop.patch({"spec": {"paused": True}})
    shop.set_image(NEW, labels={})
    code, stderr, _ = wait(shop, NEW)
    assert code == 6
    assert "paused" in stderr


def test_a_template_that_moves_on_is_superseded(shop: Lab) -> None:
    shop.set_image(NEW, labels={"homelab.lab/ready-after": "never"})
    later(1.0, shop.set_image, NEXT, labels={})
    shop.patch(
        {
            "spec": {
                "template": {"spec": {"containers": [{"name": "web", "readinessProbe": {"tcpSocket": {"port": 80}}}]}}
            }
        }
    )
    code, stderr, _ = wait(shop, NEW)
    assert code == 9
    assert "moved on from 0123456789ab to 222222222222" in stderr


def test_an_absent_workload_is_nothing_there(shop: Lab) -> None:
    answer = shop.run("deploy", "wait", "shop/nope", "--sha", NEW, "--reference-timeout", "1")
    assert answer.code == 7
    assert "no such deployment" in answer.stderr


def test_a_silent_watch_hides_nothing(shop: Lab) -> None:
    shop.cluster.lab("watches/silence")
    later(0.5, shop.set_image, NEW, labels={})
    code, _, _ = wait(shop, NEW, "--stable-for", "0", "--timeout", "30s")
    assert code == 0


def test_cut_and_expired_watches_are_no_answer(shop: Lab) -> None:
    later(0.3, shop.cluster.lab, "watches/cut")
    later(0.6, shop.cluster.lab, "watches/expire")
    later(0.9, shop.cluster.lab, "versions/expire", {"connect": True})
    later(1.5, shop.set_image, NEW, labels={})
    code, _, _ = wait(shop, NEW, "--stable-for", "0", "--timeout", "30s")
    assert code == 0


def test_denied_pods_leave_a_weaker_proof_and_say_so(shop: Lab) -> None:
    shop.cluster.lab("deny", {"verbs": ["list"], "resources": ["pods", "replicasets", "events"]})
    code, stderr, stdout = wait(shop, OLD, "--stable-for", "1")
    assert code == 0
    assert "list replicasets forbidden" in stderr
    assert "proof: counters" in stderr + stdout


def test_a_denied_workload_is_a_missing_permission(shop: Lab) -> None:
    shop.cluster.lab("deny", {"verbs": ["get"], "resources": ["deployments"]})
    code, stderr, _ = wait(shop, OLD)
    assert code == 4
    assert "not allowed to get deployments in namespace shop" in stderr


def test_a_wrong_token_is_a_credentials_failure(shop: Lab) -> None:
    path = shop.cluster.kubeconfig(shop.home / "wrong", token="not-the-token")
    shop.env["KUBECONFIG"] = str(path)
    code, stderr, _ = wait(shop, OLD)
    assert code == 4
    assert "does not accept the kubeconfig's credentials" in stderr
    assert "not-the-token" not in stderr


def test_an_object_replaced_under_its_name_is_followed(shop: Lab) -> None:
    shop.set_image(NEW, labels={"homelab.lab/start-delay": "2"})
    later(
        0.8,
        shop.cluster.lab,
        "objects/replace",
        {"group": "apps", "version": "v1", "plural": "deployments", "namespace": "shop", "name": "web"},
    )
    code, stderr, _ = wait(shop, NEW, "--stable-for", "0", "--timeout", "30s")
    assert code == 0
    assert "replaced by a new object" in stderr
