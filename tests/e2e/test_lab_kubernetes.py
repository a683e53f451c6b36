"""The lab cluster on the wire: the official Python client, watches, logs, and what tests may break."""

from __future__ import annotations

import json
import ssl
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import urllib3

from homelab.lab.kubernetes.thread import RunningCluster, running_cluster
from tests.e2e.lab_cluster import DEPLOYMENTS, available, manifest, shelf, until

PODS = "/api/v1/namespaces/default/pods"


@pytest.fixture(scope="module")
def cluster() -> Iterator[RunningCluster]:
    with running_cluster(images=shelf(), nodes=2) as running:
        yield running


@pytest.fixture(autouse=True)
def _mended(cluster: RunningCluster) -> Iterator[None]:
    yield
    cluster.lab("mend")
    for item in cluster.request("GET", DEPLOYMENTS)["items"]:
        cluster.request("DELETE", f"{DEPLOYMENTS}/{item['metadata']['name']}")
    until(lambda: not cluster.request("GET", PODS)["items"])


class Stream:
    """A WATCH read line by line in a thread of its own."""

    def __init__(self, cluster: RunningCluster, path: str, **query: str) -> None:
        self.events: list[dict[str, Any]] = []
        self.status = 0
        pool = urllib3.PoolManager(ca_cert_data=cluster.authority)
        fields = {"watch": "true", **query}
        headers = {"Authorization": f"Bearer {cluster.token}"}
        timeout = urllib3.Timeout(5.0)
        self._answer = pool.request(
            "GET",
            cluster.url + path,
            fields=fields,
            headers=headers,
            preload_content=False,
            timeout=timeout,
            retries=False,
        )
        self.status = self._answer.status
        self.closed = threading.Event()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        try:
            for line in self._lines():
                self.events.append(json.loads(line))
        except urllib3.exceptions.HTTPError:
            pass
        finally:
            self._answer.close()
            self.closed.set()

    def _lines(self) -> Iterator[bytes]:
        rest = b""
        for chunk in self._answer.stream(amt=None):
            *lines, rest = (rest + chunk).split(b"\n")
            yield from lines

    def types(self) -> list[str]:
        return [event["type"] for event in self.events]


def version(cluster: RunningCluster, path: str = DEPLOYMENTS) -> str:
    return cluster.request("GET", path)["metadata"]["resourceVersion"]


def create(cluster: RunningCluster, name: str, tag: str = "v1", **spec: Any) -> dict[str, Any]:
    return cluster.request("POST", DEPLOYMENTS, manifest(name, tag, **spec))


def patch(cluster: RunningCluster, name: str, body: dict[str, Any]) -> dict[str, Any]:
    return cluster.request("PATCH", f"{DEPLOYMENTS}/{name}", body, Content_Type="application/merge-patch+json")


def refusal(
    cluster: RunningCluster, method: str, path: str, body: dict[str, Any] | None = None, **headers: str
) -> tuple[int, dict[str, Any], Any]:
    with pytest.raises(urllib.error.HTTPError) as error:
        cluster.request(method, path, body, **headers)
    with error.value as answer:
        return answer.code, json.loads(answer.read()), answer.headers


# -- the official client


def test_the_typed_client_reads_what_the_lab_serves(cluster, tmp_path: Path):
    from kubernetes import client, config

    create(cluster, "typed", replicas=2)
    until(lambda: available(cluster, "typed", 2))
    config.load_kube_config(str(cluster.kubeconfig(tmp_path / "kubeconfig")))
    apps, core = client.AppsV1Api(), client.CoreV1Api()
    found = apps.read_namespaced_deployment("typed", "default")
    assert found.status.available_replicas == 2
    assert len(core.list_namespaced_pod("default", label_selector="app=typed").items) == 2
    assert len(apps.list_namespaced_replica_set("default").items) == 1
    assert core.list_namespaced_event("default", field_selector="involvedObject.kind=Deployment").items
    assert core.list_node().items[0].status.conditions[0].type == "Ready"
    scaled = apps.patch_namespaced_deployment("typed", "default", {"spec": {"replicas": 1}})
    assert scaled.spec.replicas == 1


def test_the_client_is_told_why_in_a_status(cluster, tmp_path: Path):
    from kubernetes import client, config
    from kubernetes.client.exceptions import ApiException

    config.load_kube_config(str(cluster.kubeconfig(tmp_path / "kubeconfig")))
    with pytest.raises(ApiException) as error:
        client.AppsV1Api().read_namespaced_deployment("nope", "default")
    assert error.value.status == 404
    assert json.loads(error.value.body)["message"] == 'deployments.apps "nope" not found'


def test_without_a_token_nobody_reads_anything(cluster):
    code, body, _ = refusal(cluster, "GET", PODS, Authorization="Bearer wrong")
    assert (code, body["kind"], body["reason"]) == (401, "Status", "Unauthorized")


def test_a_stale_write_conflicts(cluster):
    item = create(cluster, "stale")
    until(lambda: available(cluster, "stale"))
    code, body, _ = refusal(cluster, "PUT", f"{DEPLOYMENTS}/stale", item)
    assert (code, body["reason"]) == (409, "Conflict")


def test_events_are_listed_by_both_apis(cluster):
    uid = create(cluster, "told")["metadata"]["uid"]
    until(lambda: available(cluster, "told"))
    path = f"/api/v1/namespaces/default/events?fieldSelector=involvedObject.uid%3D{uid}"
    (event,) = cluster.request("GET", path)["items"]
    notes = cluster.request("GET", "/apis/events.k8s.io/v1/namespaces/default/events")["items"]
    assert event["message"] in [one["note"] for one in notes]


def test_a_long_list_comes_in_pages(cluster):
    create(cluster, "paged", replicas=3)
    until(lambda: available(cluster, "paged", 3))
    page = cluster.request("GET", f"{PODS}?limit=2")
    assert (len(page["items"]), page["metadata"]["remainingItemCount"]) == (2, 1)
    rest = cluster.request("GET", f"{PODS}?limit=2&continue={page['metadata']['continue']}")
    assert len(rest["items"]) == 1


def test_a_review_answers_what_the_rules_say(cluster):
    path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
    spec = {"resourceAttributes": {"verb": "list", "resource": "pods", "namespace": "default"}}
    assert cluster.request("POST", path, {"spec": spec})["status"]["allowed"] is True
    cluster.lab("deny", {"verbs": ["list"], "resources": ["pods"]})
    assert cluster.request("POST", path, {"spec": spec})["status"]["allowed"] is False


# -- watches


def test_a_watch_from_a_version_sees_only_what_came_after_it(cluster):
    create(cluster, "before")
    until(lambda: available(cluster, "before"))
    stream = Stream(cluster, DEPLOYMENTS, resourceVersion=version(cluster))
    create(cluster, "after")
    until(lambda: stream.events)
    assert stream.types()[0] == "ADDED"
    assert {event["object"]["metadata"]["name"] for event in stream.events} == {"after"}


def test_a_watch_without_a_version_begins_with_what_is_there(cluster):
    create(cluster, "there")
    stream = Stream(cluster, DEPLOYMENTS, fieldSelector="metadata.name=there")
    until(lambda: stream.events)
    assert (stream.types()[0], stream.events[0]["object"]["metadata"]["name"]) == ("ADDED", "there")


def test_an_object_that_leaves_the_selection_is_deleted_for_the_watcher(cluster):
    create(cluster, "labelled")
    until(lambda: available(cluster, "labelled"))
    stream = Stream(cluster, DEPLOYMENTS, resourceVersion=version(cluster), labelSelector="app=labelled")
    patch(cluster, "labelled", {"metadata": {"labels": {"app": "other"}}})
    until(lambda: "DELETED" in stream.types())


def test_a_watch_ends_at_its_timeout(cluster):
    began = time.monotonic()
    stream = Stream(cluster, DEPLOYMENTS, timeoutSeconds="1", resourceVersion=version(cluster))
    assert stream.closed.wait(5)
    assert 0.8 < time.monotonic() - began < 4
    assert stream.events == []


def test_initial_events_end_with_a_bookmark(cluster):
    create(cluster, "first")
    query = {"sendInitialEvents": "true", "resourceVersionMatch": "NotOlderThan", "allowWatchBookmarks": "true"}
    stream = Stream(cluster, DEPLOYMENTS, **query)
    until(lambda: "BOOKMARK" in stream.types())
    bookmark = next(event for event in stream.events if event["type"] == "BOOKMARK")
    assert bookmark["object"]["metadata"]["annotations"] == {"k8s.io/initial-events-end": "true"}
    assert int(bookmark["object"]["metadata"]["resourceVersion"]) > 0


def test_a_change_reaches_a_watcher_within_a_moment(cluster):
    create(cluster, "quick")
    until(lambda: available(cluster, "quick"))
    stream = Stream(cluster, DEPLOYMENTS, resourceVersion=version(cluster))
    began = time.monotonic()
    patch(cluster, "quick", {"metadata": {"labels": {"more": "x"}}})
    until(lambda: stream.events, within=1)
    assert time.monotonic() - began < 0.5


def test_a_forgotten_version_is_gone_in_the_stream_or_at_once(cluster):
    old = version(cluster)
    cluster.lab("versions/expire")
    stream = Stream(cluster, DEPLOYMENTS, resourceVersion=old)
    until(lambda: stream.events)
    assert (stream.status, stream.types()) == (200, ["ERROR"])
    assert (stream.events[0]["object"]["code"], stream.events[0]["object"]["reason"]) == (410, "Expired")
    cluster.lab("versions/expire", {"connect": True})
    assert Stream(cluster, DEPLOYMENTS, resourceVersion=old).status == 410


def test_an_expired_watch_is_told_and_ended(cluster):
    stream = Stream(cluster, DEPLOYMENTS, resourceVersion=version(cluster))
    cluster.lab("watches/expire")
    assert stream.closed.wait(5)
    assert stream.types() == ["ERROR"]


def test_a_cut_watch_ends_without_a_word(cluster):
    stream = Stream(cluster, DEPLOYMENTS, resourceVersion=version(cluster))
    cluster.lab("watches/cut")
    assert stream.closed.wait(5)
    assert stream.events == []


def test_a_silent_watch_stays_open_and_says_nothing(cluster):
    stream = Stream(cluster, DEPLOYMENTS, resourceVersion=version(cluster))
    cluster.lab("watches/silence")
    create(cluster, "unheard")
    until(lambda: available(cluster, "unheard"))
    assert stream.events == []
    assert not stream.closed.is_set()
    cluster.lab("watches/speak")
    patch(cluster, "unheard", {"metadata": {"labels": {"more": "x"}}})
    until(lambda: stream.events)


# -- broken on purpose


def test_a_denied_verb_is_forbidden_and_the_others_are_not(cluster):
    cluster.lab("deny", {"verbs": ["list"], "resources": ["pods"]})
    code, body, _ = refusal(cluster, "GET", PODS)
    assert (code, body["reason"]) == (403, "Forbidden")
    assert 'cannot list resource "pods" in API group "" in the namespace "default"' in body["message"]
    cluster.lab("allow")
    assert cluster.request("GET", PODS)["items"] == []


def test_too_many_requests_are_answered_as_often_as_asked(cluster):
    cluster.lab("faults", {"code": 429, "resources": ["deployments"], "retry_after": 2, "times": 1})
    code, body, headers = refusal(cluster, "GET", DEPLOYMENTS)
    assert (code, headers["Retry-After"], body["details"]["retryAfterSeconds"]) == (429, "2", 2)
    assert cluster.request("GET", DEPLOYMENTS)["kind"] == "DeploymentList"


def test_a_fault_can_answer_what_no_api_server_would(cluster):
    cluster.lab("faults", {"code": 200, "body": "<html>Sign in</html>", "times": 1})
    with pytest.raises(json.JSONDecodeError):
        cluster.request("GET", DEPLOYMENTS)


def test_a_fault_can_drop_the_connection(cluster):
    cluster.lab("faults", {"code": 0, "times": 1})
    with pytest.raises((OSError, urllib.error.URLError)):
        cluster.request("GET", DEPLOYMENTS)


def test_a_replaced_object_has_another_uid(cluster):
    before = create(cluster, "again")["metadata"]["uid"]
    until(lambda: available(cluster, "again"))
    where = {"group": "apps", "version": "v1", "plural": "deployments", "namespace": "default", "name": "again"}
    after = cluster.lab("objects/replace", where)
    assert after["metadata"]["uid"] != before
    until(lambda: available(cluster, "again"))


def test_frozen_controllers_do_not_see_a_change(cluster):
    create(cluster, "frozen")
    until(lambda: available(cluster, "frozen"))
    cluster.lab("controllers/freeze", {"names": ["deployment"]})
    patch(cluster, "frozen", {"spec": {"replicas": 2}})
    time.sleep(0.2)
    item = cluster.request("GET", f"{DEPLOYMENTS}/frozen")
    assert (item["metadata"]["generation"], item["status"]["observedGeneration"]) == (2, 1)
    cluster.lab("controllers/thaw")
    until(lambda: available(cluster, "frozen", 2))


def test_pods_of_a_node_that_is_not_ready_are_not_available(cluster):
    create(cluster, "spread", replicas=2)
    until(lambda: available(cluster, "spread", 2))
    cluster.lab("nodes/lab-1", {"ready": False})
    until(lambda: cluster.request("GET", f"{DEPLOYMENTS}/spread")["status"].get("availableReplicas") == 1)
    cluster.lab("nodes/lab-1", {"ready": True})
    until(lambda: available(cluster, "spread", 2))


def test_only_the_administrator_may_break_things(cluster):
    cluster.lab("tokens", {"token": "small", "user": "somebody", "rules": []})
    code, _, _ = refusal(cluster, "POST", "/_lab/mend", Authorization="Bearer small")
    assert code == 403


# -- logs


def log(cluster: RunningCluster, pod: str, query: str = "") -> str:
    pool = urllib3.PoolManager(ca_cert_data=cluster.authority)
    headers = {"Authorization": f"Bearer {cluster.token}"}
    answer = pool.request("GET", f"{cluster.url}{PODS}/{pod}/log?{query}", headers=headers, timeout=8.0, retries=False)
    return answer.data.decode()


def pod_of(cluster: RunningCluster, name: str, tag: str) -> str:
    create(cluster, name, tag)
    found = until(lambda: cluster.request("GET", f"{PODS}?labelSelector=app%3D{name}")["items"])
    return found[0]["metadata"]["name"]


def test_logs_are_cut_by_lines_and_by_bytes(cluster):
    pod = pod_of(cluster, "logs", "v1")
    until(lambda: log(cluster, pod) == "one\ntwo\nthree\n")
    assert log(cluster, pod, "tailLines=1") == "three\n"
    assert log(cluster, pod, "limitBytes=5") == "one\nt"
    assert log(cluster, pod, "timestamps=true&tailLines=1").split()[1] == "three"


def test_followed_logs_end_with_the_container(cluster):
    pod = pod_of(cluster, "chatty", "chatty")
    until(lambda: log(cluster, pod).startswith("first"))
    lines = log(cluster, pod, "follow=true").splitlines()
    assert len(lines) >= 5
    assert lines[1] == "still here"


def test_logs_of_the_run_before(cluster):
    pod = pod_of(cluster, "crashing", "crash")
    until(lambda: log(cluster, pod, "previous=true") == "boom\n")


@pytest.mark.parametrize(
    ("query", "why"),
    [
        ("container=nope", "container nope is not valid for pod"),
        ("previous=true", "previous terminated container"),
        ("tailLines=x", "invalid syntax"),
    ],
)
def test_logs_that_cannot_be_are_a_bad_request(cluster, query, why):
    pod = pod_of(cluster, "plain", "v1")
    until(lambda: log(cluster, pod) == "one\ntwo\nthree\n")
    answer = json.loads(log(cluster, pod, query))
    assert (answer["code"], answer["reason"]) == (400, "BadRequest")
    assert why in answer["message"]


def serve(state: Path, ready: Path) -> subprocess.Popen[bytes]:
    """Start a cluster in a process of its own; return when it serves."""
    ready.unlink(missing_ok=True)
    argv = [sys.executable, "-m", "homelab.lab.kubernetes", "--state", state, "--ready", ready, "--port", "0"]
    process = subprocess.Popen([*map(str, argv), "--namespace", "demo"])
    limit = time.monotonic() + 20
    while not ready.exists():
        assert process.poll() is None
        assert time.monotonic() < limit
        time.sleep(0.02)
    return process


def ask(state: Path, ready: Path, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
    port = json.loads(ready.read_text())["port"]
    request = urllib.request.Request(f"https://127.0.0.1:{port}{path}", method=method)
    request.add_header("Authorization", f"Bearer {(state / 'token').read_text().strip()}")
    request.add_header("Content-Type", "application/json")
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    raw = None if body is None else json.dumps(body).encode()
    with urllib.request.urlopen(request, raw, timeout=10, context=context) as answer:
        return json.load(answer)


def test_what_a_server_acknowledged_is_there_after_a_kill(tmp_path: Path):
    state, ready = tmp_path / "state", tmp_path / "ready"
    made = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": {"x": "1"}}
    process = serve(state, ready)
    try:
        ask(state, ready, "POST", "/api/v1/namespaces/demo/configmaps", made)
    finally:
        process.kill()
        process.wait()
    process = serve(state, ready)
    try:
        assert ask(state, ready, "GET", "/api/v1/namespaces/demo/configmaps/a")["data"] == {"x": "1"}
    finally:
        process.terminate()
        process.wait(timeout=10)
