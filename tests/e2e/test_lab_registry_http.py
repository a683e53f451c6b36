"""The registry's HTTP API, as clients of the distribution specification use it."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import urllib3

from homelab.lab.kubernetes.thread import running_cluster
from homelab.lab.registry.digest import digest_of
from homelab.lab.registry.image import CONFIG, MANIFEST, build
from tests.e2e.lab_cluster import DEPLOYMENTS, manifest, until
from tests.e2e.test_lab_registry import Part, push, start


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Part]:
    part = start("homelab.lab.registry", tmp_path_factory.mktemp("registry"))
    yield part
    part.stop()


@pytest.fixture(scope="module")
def closed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Part]:
    """A registry that wants tokens."""
    folder = tmp_path_factory.mktemp("closed")
    (folder / "users.json").write_text(json.dumps({"me": "secret"}))
    part = start("homelab.lab.registry", folder, "--users-file", str(folder / "users.json"))
    yield part
    part.stop()


def ask(part: Part, method: str, path: str, body: bytes = b"", **headers: str) -> urllib3.BaseHTTPResponse:
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    url = path if path.startswith("http") else f"http://127.0.0.1:{part.port}{path}"
    return urllib3.request(method, url, body=body, headers=sent, retries=False, timeout=5.0)


def code(answer: urllib3.BaseHTTPResponse) -> str:
    return json.loads(answer.data)["errors"][0]["code"]


def test_the_registry_says_what_it_is(registry):
    answer = ask(registry, "GET", "/v2/")
    assert (answer.status, answer.headers["Docker-Distribution-API-Version"]) == (200, "registry/2.0")


def test_a_blob_can_come_at_once_in_one_piece_and_in_chunks(registry):
    name = digest_of(b"content")
    assert ask(registry, "POST", f"/v2/demo/app/blobs/uploads/?digest={name}", b"content").status == 201
    where = ask(registry, "POST", "/v2/demo/app/blobs/uploads/").headers["Location"]
    assert ask(registry, "PUT", f"{where}?digest={name}", b"content").status == 201
    where = ask(registry, "POST", "/v2/demo/app/blobs/uploads/").headers["Location"]
    first = ask(registry, "PATCH", where, b"con", Content_Range="0-2")
    assert (first.status, first.headers["Range"]) == (202, "0-2")
    assert ask(registry, "PATCH", where, b"x", Content_Range="9-9").status == 416
    ask(registry, "PATCH", where, b"tent", Content_Range="3-6")
    assert ask(registry, "GET", where).headers["Range"] == "0-6"
    assert ask(registry, "PUT", f"{where}?digest={name}").status == 201
    assert ask(registry, "GET", f"/v2/demo/app/blobs/{name}").data == b"content"
    assert ask(registry, "HEAD", f"/v2/demo/app/blobs/{name}").headers["Content-Length"] == "7"


def test_a_wrong_digest_is_refused(registry):
    where = ask(registry, "POST", "/v2/demo/app/blobs/uploads/").headers["Location"]
    answer = ask(registry, "PUT", f"{where}?digest={digest_of(b'other')}", b"content")
    assert (answer.status, code(answer)) == (400, "DIGEST_INVALID")


def test_a_manifest_of_missing_content_is_refused(registry, tmp_path: Path):
    image = build(tmp_path, {"a": "only here"})
    answer = ask(registry, "PUT", "/v2/demo/app/manifests/v1", image.manifest, Content_Type=MANIFEST)
    assert (answer.status, code(answer)) == (404, "MANIFEST_BLOB_UNKNOWN")


@pytest.mark.parametrize("body", [b"no json", b"[]", b'{"schemaVersion": 1}'])
def test_what_is_no_manifest_is_refused(registry, body):
    answer = ask(registry, "PUT", "/v2/demo/app/manifests/v1", body)
    assert (answer.status, code(answer)) == (400, "MANIFEST_INVALID")


def test_a_pushed_image_is_read_back_by_tag_and_digest(registry, tmp_path: Path):
    name = (
        push(registry, tmp_path, "registry.homelab.test/demo/read:v1", "--label", "a=b")
        .stdout.strip()
        .partition("@")[2]
    )
    by_tag = ask(registry, "GET", "/v2/demo/read/manifests/v1", Accept=MANIFEST)
    assert (by_tag.headers["Docker-Content-Digest"], by_tag.headers["Content-Type"]) == (name, MANIFEST)
    assert digest_of(by_tag.data) == name
    assert ask(registry, "HEAD", f"/v2/demo/read/manifests/{name}").status == 200
    manifest = json.loads(by_tag.data)
    assert manifest["config"]["mediaType"] == CONFIG
    config = json.loads(ask(registry, "GET", f"/v2/demo/read/blobs/{manifest['config']['digest']}").data)
    assert config["config"]["Labels"] == {"a": "b"}


def test_tags_are_listed_in_pages(registry, tmp_path: Path):
    for tag in ("a", "b", "c"):
        assert push(registry, tmp_path, f"registry.homelab.test/demo/many:{tag}").returncode == 0
    page = ask(registry, "GET", "/v2/demo/many/tags/list?n=2")
    assert json.loads(page.data)["tags"] == ["a", "b"]
    assert page.headers["Link"] == '</v2/demo/many/tags/list?n=2&last=b>; rel="next"'
    assert json.loads(ask(registry, "GET", "/v2/demo/many/tags/list?n=2&last=b").data)["tags"] == ["c"]


def test_unknown_things_have_their_codes(registry):
    assert code(ask(registry, "GET", "/v2/demo/none/manifests/v1")) == "MANIFEST_UNKNOWN"
    assert code(ask(registry, "GET", f"/v2/demo/none/blobs/{digest_of(b'x')}")) == "BLOB_UNKNOWN"
    assert code(ask(registry, "GET", "/v2/demo/none/tags/list")) == "NAME_UNKNOWN"
    assert ask(registry, "PATCH", "/v2/demo/none/manifests/v1").status == 405
    assert ask(registry, "GET", "/v2/../../etc/passwd").status == 404


def test_a_closed_registry_trades_a_password_for_a_token(closed):
    challenge = ask(closed, "GET", "/v2/demo/app/tags/list")
    assert challenge.status == 401
    realm = challenge.headers["WWW-Authenticate"].split('realm="')[1].split('"')[0]
    header = f"Basic {base64.b64encode(b'me:secret').decode()}"
    token = json.loads(ask(closed, "GET", f"{realm}?scope=repository:demo/app:pull", Authorization=header).data)[
        "token"
    ]
    answer = ask(closed, "GET", "/v2/demo/app/tags/list", Authorization=f"Bearer {token}")
    assert (answer.status, code(answer)) == (404, "NAME_UNKNOWN")


INDEX = "application/vnd.oci.image.index.v1+json"


def push_index(part: Part, folder: Path, repository: str, platform: str) -> str:
    """Push an image under ``v1`` and an index of it for one platform under ``multi``; return the index's digest."""
    child = push(part, folder, f"registry.homelab.test/{repository}:v1").stdout.strip().partition("@")[2]
    size = len(ask(part, "GET", f"/v2/{repository}/manifests/v1").data)
    os_name, _, architecture = platform.partition("/")
    entry = {"mediaType": MANIFEST, "digest": child, "size": size}
    entry["platform"] = {"os": os_name, "architecture": architecture}
    body = json.dumps({"schemaVersion": 2, "mediaType": INDEX, "manifests": [entry]}).encode()
    answer = ask(part, "PUT", f"/v2/{repository}/manifests/multi", body, Content_Type=INDEX)
    assert answer.status == 201
    return answer.headers["Docker-Content-Digest"]


def first_status(url: str, image: str) -> dict:
    """The first container status with an image or a reason, of a pod of ``image`` in a cluster of its own."""
    with running_cluster(registry=url) as cluster:
        body = manifest("web")
        body["spec"]["template"]["spec"]["containers"][0]["image"] = image
        cluster.request("POST", DEPLOYMENTS, body)

        def status() -> dict:
            pods = cluster.request("GET", "/api/v1/namespaces/default/pods")["items"]
            found = [one for pod in pods for one in pod["status"].get("containerStatuses", [])]
            return next((one for one in found if one["ready"] or "message" in one["state"].get("waiting", {})), {})

        return until(status)


def test_an_index_is_pulled_for_this_platform_and_named_by_its_own_digest(registry, tmp_path: Path):
    name = push_index(registry, tmp_path, "demo/multi", "linux/amd64")
    found = first_status(f"http://127.0.0.1:{registry.port}", "registry.homelab.test/demo/multi:multi")
    assert found["imageID"] == f"registry.homelab.test/demo/multi@{name}"


def test_an_index_without_this_platform_cannot_be_pulled(registry, tmp_path: Path):
    push_index(registry, tmp_path, "demo/other", "plan9/mips")
    found = first_status(f"http://127.0.0.1:{registry.port}", "registry.homelab.test/demo/other:multi")
    assert "no match for platform in manifest: not found" in found["state"]["waiting"]["message"]


def test_an_image_can_be_pulled_by_its_digest(registry, tmp_path: Path):
    done = push(registry, tmp_path, "registry.homelab.test/demo/pinned:v1").stdout.strip()
    found = first_status(f"http://127.0.0.1:{registry.port}", done)
    assert found["imageID"].endswith(done.partition("@")[2])


def test_a_registry_that_does_not_answer_is_a_failed_request():
    found = first_status("http://127.0.0.1:9", "registry.homelab.test/demo/app:v1")
    text = found["state"]["waiting"]["message"]
    assert 'failed to do request: Head "https://registry.homelab.test/v2/demo/app/manifests/v1"' in text


def test_a_cluster_that_may_not_pull_says_so(closed):
    found = first_status(f"http://127.0.0.1:{closed.port}", "registry.homelab.test/demo/app:v1")
    text = found["state"]["waiting"]["message"]
    assert "pull access denied, repository does not exist or may require authorization" in text
