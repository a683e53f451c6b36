"""The other kinds, the other verbs, and less than all rights: whole commands against the lab's Kubernetes server."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.deploy.lab import NEW, NEXT, OLD, Lab, image, lab

SHOP = "/apis/apps/v1/namespaces/shop"


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Lab]:
    with lab(tmp_path, nodes=3) as running:
        for oid in (OLD, NEW):
            running.shelf.images[image(oid)] = {}
        yield running


def workload(kind: str, plural: str, oid: str, **spec: Any) -> tuple[str, dict[str, Any]]:
    template = {"metadata": {"labels": {"app": "db"}}, "spec": {"containers": [{"name": "web", "image": image(oid)}]}}
    body = {
        "apiVersion": "apps/v1",
        "kind": kind,
        "metadata": {"name": "db", "namespace": "shop"},
        "spec": {"selector": {"matchLabels": {"app": "db"}}, "template": template, **spec},
    }
    return f"{SHOP}/{plural}", body


def set_image(shop: Lab, plural: str, oid: str, **spec: Any) -> None:
    containers = [{"name": "web", "image": image(oid)}]
    body = {"spec": {"template": {"spec": {"containers": containers}}, **spec}}
    shop.cluster.request("PATCH", f"{SHOP}/{plural}/db", body, content_type="application/strategic-merge-patch+json")


def wait(shop: Lab, target: str, oid: str, *options: str) -> Any:
    return shop.run("deploy", "wait", target, "--sha", oid, "--stable-for", "0", "--timeout", "30s", *options)


def test_a_statefulset_rolls_and_is_proven_by_its_pods(shop: Lab) -> None:
    shop.cluster.request("POST", *workload("StatefulSet", "statefulsets", OLD, replicas=2, serviceName="db"))
    assert wait(shop, "shop/statefulset/db", OLD).code == 0
    set_image(shop, "statefulsets", NEW)
    answer = wait(shop, "shop/statefulset/db", NEW)
    assert answer.code == 0, answer.stderr
    assert "complete 2/2, proof: pods" in answer.stderr


def test_15_a_staged_statefulset_needs_a_person(shop: Lab) -> None:
    shop.cluster.request("POST", *workload("StatefulSet", "statefulsets", OLD, replicas=2, serviceName="db"))
    assert wait(shop, "shop/statefulset/db", OLD).code == 0
    set_image(shop, "statefulsets", NEW, updateStrategy={"type": "RollingUpdate", "rollingUpdate": {"partition": 2}})
    answer = wait(shop, "shop/statefulset/db", NEW)
    assert answer.code == 6
    assert "staged" in answer.stderr


def test_16_a_statefulset_with_ondelete_lists_what_to_delete(shop: Lab) -> None:
    strategy = {"type": "OnDelete"}
    made = workload("StatefulSet", "statefulsets", OLD, replicas=1, serviceName="db", updateStrategy=strategy)
    shop.cluster.request("POST", *made)
    assert wait(shop, "shop/statefulset/db", OLD).code == 0
    set_image(shop, "statefulsets", NEW)
    answer = wait(shop, "shop/statefulset/db", NEW)
    assert answer.code == 6
    assert "kubectl delete pod db-0 -n shop" in answer.stderr + answer.stdout


def test_a_daemonset_rolls_over_every_node(shop: Lab) -> None:
    shop.cluster.request("POST", *workload("DaemonSet", "daemonsets", OLD))
    assert wait(shop, "shop/ds/db", OLD).code == 0
    set_image(shop, "daemonsets", NEW)
    answer = wait(shop, "shop/ds/db", NEW)
    assert answer.code == 0, answer.stderr
    assert "complete 3/3, proof: pods" in answer.stderr


def test_18_a_dead_node_may_be_left_out(shop: Lab) -> None:
    shop.cluster.request("POST", *workload("DaemonSet", "daemonsets", OLD))
    assert wait(shop, "shop/ds/db", OLD).code == 0
    shop.cluster.lab("nodes/lab-3", {"ready": False})
    strategy = {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 3}}
    set_image(shop, "daemonsets", NEW, updateStrategy=strategy)
    assert shop.run("deploy", "wait", "shop/ds/db", "--sha", NEW, "--timeout", "4s").code == 8
    answer = wait(shop, "shop/ds/db", NEW, "--ignore-unready-nodes")
    assert answer.code == 0, answer.stderr
    assert "without lab-3" in answer.stderr


def role(shop: Lab, *options: str) -> None:
    """Let commands run with the rights that ``deploy rbac`` prints, and no others."""
    answer = shop.run("deploy", "rbac", "shop/web", *options, "--json")
    (found,) = answer.json["objects"]
    shop.cluster.lab("tokens", {"token": "least", "user": "ci", "rules": found["rules"]})
    shop.env["KUBECONFIG"] = str(shop.cluster.kubeconfig(shop.home / "least", token="least"))


def test_under_the_printed_role_the_proof_is_whole(shop: Lab) -> None:
    shop.deployment()
    shop.settled()
    role(shop)
    threading.Timer(0.3, lambda: shop.set_image(NEW, labels={})).start()
    answer = wait(shop, "shop/web", NEW)
    assert answer.code == 0, answer.stderr
    assert "proof: pods" in answer.stderr
    assert "forbidden" not in answer.stderr


def test_under_get_on_the_workload_alone_it_works_and_names_the_proofs_it_skipped(shop: Lab) -> None:
    shop.deployment()
    shop.settled()
    role(shop, "--least")
    threading.Timer(0.3, lambda: shop.set_image(NEW, labels={})).start()
    answer = wait(shop, "shop/web", NEW)
    assert answer.code == 0, answer.stderr
    assert "no replicasets proof: list replicasets forbidden" in answer.stderr
    assert "complete 1/1, proof: counters" in answer.stderr


def test_a_crash_some_seconds_after_being_ready_is_caught_by_the_hold(shop: Lab) -> None:
    shop.deployment()
    shop.settled()
    threading.Timer(0.3, lambda: shop.set_image(NEW, labels={"homelab.lab/crash-after": "3"})).start()
    answer = shop.run("deploy", "wait", "shop/web", "--sha", NEW)
    assert answer.code == 1
    assert "was Ready, then crashed" in answer.stderr


def test_a_quota_that_forbids_pods_is_named_with_the_controllers_words(shop: Lab) -> None:
    quota = {
        "apiVersion": "v1",
        "kind": "ResourceQuota",
        "metadata": {"name": "small", "namespace": "shop"},
        "spec": {"hard": {"pods": "1"}},
    }
    shop.deployment()
    shop.settled()
    shop.cluster.request("POST", "/api/v1/namespaces/shop/resourcequotas", quota)
    shop.set_image(NEW, labels={})
    answer = wait(shop, "shop/web", NEW, "--fail-fast")
    assert answer.code == 1, answer.stderr
    assert "quota" in answer.stderr
    assert "exceeded quota" in answer.stderr + answer.stdout


def test_13_superseded_by_a_commit_on_the_way(shop: Lab) -> None:
    shop.deployment()
    shop.settled()
    shop.set_image(NEXT)
    threading.Timer(1.0, lambda: shop.set_image(NEW, labels={})).start()
    assert wait(shop, "shop/web", NEXT).code == 9


def test_restart_history_rollback_status_and_logs_agree(shop: Lab) -> None:
    shop.deployment(labels={"homelab.lab/log": "hello from the old one"})
    shop.settled()
    shop.set_image(NEW, labels={"homelab.lab/log": "hello from the new one"})
    assert wait(shop, "shop/web", NEW).code == 0
    assert shop.run("deploy", "restart", "shop/web").code == 0
    assert wait(shop, "shop/web", NEW).code == 0
    assert shop.run("deploy", "logs", "shop/web").stdout.strip() == "hello from the new one"
    assert shop.run("deploy", "rollback", "shop/web").code == 0
    assert wait(shop, "shop/web", OLD).code == 0
    revisions = shop.run("deploy", "history", "shop/web", "--json").json["revisions"]
    assert next((past["live"], past["images"]) for past in revisions) == (True, [image(OLD)])
    assert shop.run("deploy", "status", "shop/web", "--sha", NEW).code == 8
    assert shop.run("deploy", "status", "shop/web", "--sha", OLD).code == 0
    assert shop.run("deploy", "events", "shop/web", "--limit", "3").code == 0


def test_a_reading_verb_cannot_write_but_may_ask_argo_to_look(shop: Lab) -> None:
    shop.deployment()
    shop.settled()
    application = {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Application",
        "metadata": {"name": "shop", "namespace": "argocd"},
        "spec": {"destination": {"server": "https://kubernetes.default.svc", "namespace": "shop"}},
        "status": {"sync": {"status": "Synced", "revision": "7" * 40}, "health": {"status": "Healthy"}},
    }
    shop.cluster.lab("namespaces/argocd")
    shop.cluster.request("POST", "/apis/argoproj.io/v1alpha1/namespaces/argocd/applications", application)
    shop.patch({"metadata": {"annotations": {"argocd.argoproj.io/tracking-id": "shop:apps/Deployment:shop/web"}}})
    answer = shop.run("deploy", "wait", "shop/web", "--sha", NEW, "--refresh", "--reference-timeout", "1s")
    assert answer.code == 7
    assert "asked Argo CD application argocd/shop to look now" in answer.stderr
    found = shop.cluster.request("GET", "/apis/argoproj.io/v1alpha1/namespaces/argocd/applications/shop")
    assert found["metadata"]["annotations"] == {"argocd.argoproj.io/refresh": "normal"}


def test_an_application_is_followed_to_its_workloads(shop: Lab) -> None:
    shop.deployment()
    shop.settled()
    shop.cluster.lab("namespaces/argocd")
    application = {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Application",
        "metadata": {"name": "shop", "namespace": "argocd"},
        "spec": {"destination": {"server": "https://kubernetes.default.svc", "namespace": "shop"}},
        "status": {
            "sync": {"status": "Synced", "revision": "7" * 40},
            "health": {"status": "Healthy"},
            "resources": [{"kind": "Deployment", "namespace": "shop", "name": "web"}],
        },
    }
    shop.cluster.request("POST", "/apis/argoproj.io/v1alpha1/namespaces/argocd/applications", application)
    assert wait(shop, "argocd/application/shop", NEW, "--reference-timeout", "1s").code == 7
    threading.Timer(0.5, lambda: shop.set_image(NEW, labels={})).start()
    answer = wait(shop, "argocd/application/shop", NEW)
    assert answer.code == 0, answer.stderr
    assert "settled, 1 workload complete, proof: pods" in answer.stderr


def test_two_contexts_are_waited_for_in_one_command(shop: Lab, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    shop.deployment(NEW)
    with lab(tmp_path / "other") as second:
        second.deployment(NEW)
        body = json.loads((second.home / "kubeconfig").read_text().replace('"lab"', '"second"'))
        (tmp_path / "second").write_text(json.dumps(body))
        shop.env["KUBECONFIG"] += f":{tmp_path / 'second'}"
        answer = wait(shop, "shop/web", NEW, "--context", "lab", "--context", "second")
    assert answer.code == 0, answer.stderr
    assert "lab:shop/web: complete 1/1, proof: pods" in answer.stderr
    assert "second:shop/web: complete 1/1, proof: pods" in answer.stderr
    assert answer.stderr.splitlines()[-1] == "done (exit 0): 2/2 targets done"


def kubectl(shop: Lab, *argv: str) -> str:
    program = Path(sys.executable).with_name("kubectl")
    answer = subprocess.run([program, *argv], env=shop.env, capture_output=True, text=True, timeout=20, check=False)
    return answer.stdout + answer.stderr


def test_kubectl_sees_the_same_state(shop: Lab) -> None:
    shop.deployment(replicas=2)
    shop.settled()
    shop.set_image(NEW, labels={})
    assert wait(shop, "shop/web", NEW).code == 0
    assert "successfully rolled out" in kubectl(shop, "rollout", "status", "deployment/web", "-n", "shop")
    shown = kubectl(shop, "get", "deployment", "web", "-n", "shop", "-o", "wide")
    status = shop.run("deploy", "status", "shop/web", "--sha", NEW, "--json").json["targets"][0]
    assert image(NEW) in shown
    assert "2/2" in shown
    assert (status["state"], status["live"][0]["image"]) == ("complete", image(NEW))
    revisions = shop.run("deploy", "history", "shop/web", "--json").json["revisions"]
    listed = kubectl(shop, "rollout", "history", "deployment/web", "-n", "shop")
    assert all(str(past["revision"]) in listed for past in revisions)


def test_a_cronjob_is_followed_through_its_next_run(shop: Lab) -> None:
    shop.shelf.images[image(NEW)] = {"homelab.lab/crash-after": "0.2", "homelab.lab/exit-code": "0"}
    template = {"spec": {"restartPolicy": "Never", "containers": [{"name": "web", "image": image(NEW)}]}}
    cron = {
        "apiVersion": "batch/v1",
        "kind": "CronJob",
        "metadata": {"name": "nightly", "namespace": "shop"},
        "spec": {"schedule": "0 3 * * *", "jobTemplate": {"spec": {"template": template}}},
    }
    batch = "/apis/batch/v1/namespaces/shop"
    made = shop.cluster.request("POST", f"{batch}/cronjobs", cron)
    owner = {"apiVersion": "batch/v1", "kind": "CronJob", "name": "nightly", "uid": made["metadata"]["uid"]}
    run = {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": "nightly-1", "namespace": "shop", "ownerReferences": [{**owner, "controller": True}]},
        "spec": {"template": template, "backoffLimit": 0},
    }
    begun = threading.Timer(2.0, lambda: shop.cluster.request("POST", f"{batch}/jobs", run))
    begun.start()
    try:
        answer = wait(shop, "shop/cronjob/nightly", NEW, "--run")
    finally:
        begun.join()
    assert answer.code == 0, answer.stderr
    assert "nightly-1: complete" in answer.stderr
