"""The real kubectl against the lab cluster."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from homelab.lab.kubernetes.thread import RunningCluster, running_cluster
from tests.e2e.lab_cluster import APP, Kubectl, available, manifest, shelf, until


@pytest.fixture(scope="module")
def cluster() -> Iterator[RunningCluster]:
    with running_cluster(images=shelf()) as running:
        yield running


@pytest.fixture
def kubectl(cluster: RunningCluster, tmp_path: Path) -> Kubectl:
    return Kubectl(cluster, tmp_path)


@pytest.fixture
def web(cluster: RunningCluster, kubectl: Kubectl) -> Iterator[str]:
    """A rolled-out Deployment of its own, gone afterwards."""
    kubectl.apply(manifest("web", replicas=2))
    until(lambda: available(cluster, "web", 2))
    yield "deployment/web"
    kubectl("delete", "deployment", "web", "--wait=false")
    until(lambda: not cluster.request("GET", "/api/v1/namespaces/default/pods?labelSelector=app%3Dweb")["items"])


def test_versions_and_kinds_are_discovered(kubectl):
    assert "Server Version: v1.36.0+homelab" in kubectl("version")
    assert "deployments" in kubectl("api-resources", "--api-group=apps")


def test_rollout_status_follows_a_rollout_to_its_end(kubectl, web):
    kubectl("set", "image", web, f"app={APP}:v2")
    told = kubectl("rollout", "status", web, "--timeout=10s")
    assert "out of 2 new replicas have been updated" in told
    assert told.endswith('deployment "web" successfully rolled out\n')


def test_rollout_status_says_that_the_deadline_was_missed(kubectl, web):
    kubectl("patch", web, "--patch", json.dumps({"spec": {"progressDeadlineSeconds": 1}}))
    kubectl("set", "image", web, f"app={APP}:missing")
    done = kubectl.run("rollout", "status", web, "--timeout=10s")
    assert done.returncode == 1
    assert 'deployment "web" exceeded its progress deadline' in done.stderr


def test_get_shows_the_usual_columns(kubectl, web):
    heads, row = kubectl("get", web).splitlines()
    assert heads.split() == ["NAME", "READY", "UP-TO-DATE", "AVAILABLE", "AGE"]
    assert row.split()[:4] == ["web", "2/2", "2", "2"]
    wide = kubectl("get", "pods", "-l", "app=web", "-o", "wide").splitlines()
    assert wide[0].split()[:7] == ["NAME", "READY", "STATUS", "RESTARTS", "AGE", "IP", "NODE"]
    assert [line.split()[2] for line in wide[1:]] == ["Running", "Running"]


def test_get_gives_json_and_yaml_and_paths(kubectl, web):
    assert json.loads(kubectl("get", web, "-o", "json"))["status"]["availableReplicas"] == 2
    assert "kind: Deployment" in kubectl("get", web, "-o", "yaml")
    assert kubectl("get", "pods", "-l", "app=web", "-o", "jsonpath={.items[*].status.phase}") == "Running Running"


def test_an_image_that_cannot_be_pulled_is_seen_by_get_describe_and_events(cluster, kubectl, web):
    kubectl("set", "image", web, f"app={APP}:missing")
    until(lambda: "ImagePullBackOff" in kubectl("get", "pods"))
    pod = next(line.split()[0] for line in kubectl("get", "pods").splitlines() if "ImagePullBackOff" in line)
    described = kubectl("describe", "pod", pod)
    assert "Reason:       ImagePullBackOff" in described
    assert f"{APP}:missing: not found" in described
    assert "Failed to pull image" in kubectl("get", "events", "--field-selector", f"involvedObject.name={pod}")


def test_describe_deployment_names_both_replica_sets_and_tells_events(kubectl, web):
    kubectl("set", "image", web, f"app={APP}:missing")
    until(lambda: "(1/1 replicas created)" in kubectl("describe", web))
    described = kubectl("describe", web)
    assert "OldReplicaSets:  web-" in described
    assert "NewReplicaSet:   web-" in described
    assert "Scaled up replica set web-" in described


def test_undo_goes_back_to_the_replica_set_before(kubectl, web):
    before = kubectl("get", "rs", "-l", "app=web", "-o", "name").split()
    kubectl("set", "image", web, f"app={APP}:v2")
    kubectl("rollout", "status", web, "--timeout=10s")
    kubectl("rollout", "undo", web)
    kubectl("rollout", "status", web, "--timeout=10s")
    assert f"{APP}:v1" in kubectl("get", web, "-o", "wide")
    assert len(kubectl("get", "rs", "-l", "app=web", "-o", "name").split()) == len(before) + 1
    history = [line.split()[0] for line in kubectl("rollout", "history", web).splitlines()[2:] if line]
    assert history == ["2", "3"]


def test_restart_makes_new_pods(kubectl, web):
    before = set(kubectl("get", "pods", "-l", "app=web", "-o", "name").split())
    kubectl("rollout", "restart", web)
    kubectl("rollout", "status", web, "--timeout=10s")
    until(lambda: not before & set(kubectl("get", "pods", "-l", "app=web", "-o", "name").split()))


def test_pause_holds_and_resume_goes_on(kubectl, web):
    kubectl("rollout", "pause", web)
    kubectl("set", "image", web, f"app={APP}:v2")
    assert "DeploymentPaused" in until(lambda: "DeploymentPaused" in (text := kubectl("describe", web)) and text)
    kubectl("rollout", "resume", web)
    assert "successfully rolled out" in kubectl("rollout", "status", web, "--timeout=10s")


def test_scale_and_wait(kubectl, web):
    kubectl("scale", web, "--replicas=3")
    kubectl("wait", web, "--for=jsonpath={.status.availableReplicas}=3", "--timeout=10s")


def test_scale_holds_to_a_precondition(kubectl, web):
    kubectl("scale", web, "--replicas=1", "--current-replicas=2")
    assert (
        "Expected replicas to be 2, was 1" in kubectl.run("scale", web, "--replicas=3", "--current-replicas=2").stderr
    )


def test_typed_commands_are_understood(kubectl):
    kubectl("create", "namespace", "typed")
    inside = ("-n", "typed")
    kubectl(*inside, "create", "configmap", "settings", "--from-literal=colour=red")
    assert kubectl(*inside, "get", "configmap", "settings", "-o", "jsonpath={.data.colour}") == "red"
    kubectl(*inside, "create", "secret", "generic", "hidden", "--from-literal=a=b")
    assert kubectl(*inside, "get", "secret", "hidden", "-o", "jsonpath={.data.a}") == "Yg=="
    kubectl(*inside, "create", "deployment", "made", f"--image={APP}:v1", "--replicas=2")
    assert "successfully rolled out" in kubectl(*inside, "rollout", "status", "deployment/made", "--timeout=10s")
    assert kubectl("auth", "can-i", "delete", "pods", *inside) == "yes\n"
    kubectl("delete", "namespace", "typed")


def test_a_drained_node_runs_nothing_and_takes_nothing(kubectl, web):
    kubectl("drain", "lab-1", "--force", "--timeout=10s")
    until(lambda: {line.split()[2] for line in kubectl("get", "pods", "-l", "app=web").splitlines()[1:]} == {"Pending"})
    assert "SchedulingDisabled" in kubectl("get", "nodes")
    kubectl("uncordon", "lab-1")
    assert "successfully rolled out" in kubectl("rollout", "status", web, "--timeout=10s")


@pytest.mark.parametrize("kind", ["StatefulSet", "DaemonSet"])
def test_rollout_status_follows_the_other_workloads(kubectl, kind):
    body = manifest("other") | {"kind": kind}
    kubectl.apply(body)
    target = f"{kind.lower()}/other"
    kubectl("rollout", "status", target, "--timeout=10s")
    kubectl("set", "image", target, f"app={APP}:v2")
    told = kubectl("rollout", "status", target, "--timeout=10s")
    assert "successfully rolled out" in told or "partitioned roll out complete" in told
    assert f"{APP}:v2" in kubectl(
        "get", "pods", "-l", "app=other", "-o", "jsonpath={.items[*].spec.containers[0].image}"
    )
    kubectl("rollout", "undo", target)
    kubectl("rollout", "status", target, "--timeout=10s")
    assert [line.split()[0] for line in kubectl("rollout", "history", target).splitlines()[2:] if line] == ["2", "3"]
    kubectl("delete", target)


def test_a_job_is_waited_for(kubectl):
    kubectl("create", "job", "once", f"--image={APP}:done")
    kubectl("wait", "job/once", "--for=condition=Complete", "--timeout=10s")
    assert kubectl("get", "job", "once").splitlines()[1].split()[1:3] == ["Complete", "1/1"]
    assert kubectl("logs", "job/once") == "worked\n"
    kubectl("delete", "job", "once")


def test_apply_changes_what_the_file_changed_and_leaves_the_rest(kubectl, web):
    kubectl("scale", web, "--replicas=1")
    again = manifest("web", "v2")
    assert kubectl.apply(again) == "deployment.apps/web configured\n"
    assert kubectl.apply(again) == "deployment.apps/web unchanged\n"
    item = json.loads(kubectl("get", web, "-o", "json"))
    assert item["spec"]["template"]["spec"]["containers"][0]["image"] == f"{APP}:v2"


def test_server_side_apply_conflicts_and_can_be_forced(kubectl, web):
    kubectl.apply(manifest("web", replicas=2), args=("--server-side",))
    other = json.dumps(manifest("web", replicas=3))
    done = kubectl.run("apply", "--server-side", "--field-manager=other", "-f", "-", stdin=other)
    assert done.returncode == 1
    assert 'conflict with "kubectl": .spec.replicas' in done.stderr
    assert "serverside-applied" in kubectl(
        "apply", "--server-side", "--field-manager=other", "--force-conflicts", "-f", "-", stdin=other
    )


def test_who_wrote_what_is_told(kubectl, web):
    kubectl("set", "image", web, f"app={APP}:v2")
    shown = json.loads(kubectl("get", web, "-o", "json", "--show-managed-fields"))
    fields = {entry["manager"]: json.dumps(entry["fieldsV1"]) for entry in shown["metadata"]["managedFields"]}
    assert "f:image" in fields["kubectl-set"]
    assert "f:image" not in fields["kubectl-client-side-apply"]


def test_client_side_apply_moves_to_server_side(kubectl, web):
    """kubectl hands the ownership over itself, by writing managedFields."""
    assert "serverside-applied" in kubectl.apply(manifest("web", "v2", replicas=2), args=("--server-side",))
    assert f"{APP}:v2" in kubectl("get", web, "-o", "wide")


def test_diff_shows_what_apply_would_change(kubectl, web):
    done = kubectl.run("diff", "-f", "-", stdin=json.dumps(manifest("web", "v2", replicas=2)))
    assert done.returncode == 1
    assert f"+      - image: {APP}:v2" in done.stdout


def test_logs_of_now_and_of_before(cluster, kubectl, web):
    assert kubectl("logs", web, "--tail=2") == "two\nthree\n"
    kubectl.apply(manifest("crashing", "crash"))
    until(lambda: "CrashLoopBackOff" in kubectl("get", "pods", "-l", "app=crashing"))
    assert kubectl("logs", "deployment/crashing", "--previous") == "boom\n"
    kubectl("delete", "deployment", "crashing")


def test_logs_of_a_container_that_waits_are_a_bad_request(kubectl, web):
    kubectl.apply(manifest("missing", "missing"))
    until(lambda: "ImagePullBackOff" in kubectl("get", "pods", "-l", "app=missing"))
    done = kubectl.run("logs", "deployment/missing")
    assert done.returncode == 1
    assert "is waiting to start: trying and failing to pull image" in done.stderr
    kubectl("delete", "deployment", "missing")


def test_an_unknown_object_and_an_unknown_kind_are_told_apart(kubectl):
    assert 'deployments.apps "nope" not found' in kubectl.run("get", "deployment", "nope").stderr
    assert "the server doesn't have a resource type" in kubectl.run("get", "nosuch").stderr


def test_a_manifest_with_a_mistake_is_refused_with_its_field(kubectl):
    bad = manifest("bad")
    bad["spec"]["selector"]["matchLabels"] = {"app": "other"}
    done = kubectl.run("apply", "-f", "-", stdin=json.dumps(bad))
    assert done.returncode == 1
    assert "spec.template.metadata.labels" in done.stderr


def test_an_applied_role_binds_who_it_is_bound_to(cluster, kubectl, tmp_path, web):
    group = "rbac.authorization.k8s.io"
    rule = {"apiGroups": ["apps"], "resources": ["deployments"], "verbs": ["get"]}
    meta = {"name": "reader", "namespace": "default"}
    role = {"apiVersion": f"{group}/v1", "kind": "Role", "metadata": meta, "rules": [rule]}
    account = {"kind": "ServiceAccount", "name": "ci", "namespace": "default"}
    binding = {
        **role,
        "kind": "RoleBinding",
        "subjects": [account],
        "roleRef": {"apiGroup": group, "kind": "Role", "name": "reader"},
    }
    binding.pop("rules")
    kubectl.apply(role, binding)
    cluster.lab("tokens", {"token": "small", "user": "system:serviceaccount:default:ci"})
    somebody = Kubectl(cluster, tmp_path, token="small")
    assert "web" in somebody("get", "deployment", "web")
    denied = somebody.run("get", "pods").stderr
    assert 'User "system:serviceaccount:default:ci" cannot list resource "pods" in API group ""' in denied


def test_a_service_accounts_own_token_has_its_rights_and_says_who_it_is(
    cluster: RunningCluster, kubectl: Kubectl, tmp_path: Path
) -> None:
    kubectl("create", "serviceaccount", "runner")
    kubectl("create", "role", "looks", "--verb=get", "--resource=deployments")
    kubectl("create", "rolebinding", "looks", "--role=looks", "--serviceaccount=default:runner")
    runner = Kubectl(cluster, tmp_path, token=kubectl("create", "token", "runner").strip())
    assert "system:serviceaccount:default:runner" in runner("auth", "whoami")
    assert runner("auth", "can-i", "get", "deployments").strip() == "yes"
    assert runner.run("auth", "can-i", "delete", "deployments").stdout.strip() == "no"
    assert "deployments.apps" in runner("auth", "can-i", "--list")
