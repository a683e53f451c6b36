"""``deploy wait`` and a real registry: what its digests decide, what they prove, and what its absence costs."""

from __future__ import annotations

import base64
import json
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from homelab.lab.registry.digest import digest_of
from homelab.lab.registry.image import MANIFEST, build
from tests.deploy.lab import Answer, Lab
from tests.deploy.objects import FULL, REPOSITORY, deployment, pod, replica_set, running
from tests.e2e.test_deploy_vectors import Stage, frozen, stage
from tests.e2e.test_lab_registry import Part, start
from tests.e2e.test_lab_registry_http import ask

__all__ = ["frozen", "stage"]
INDEX = "application/vnd.oci.image.index.v1+json"
TAG, PATH = FULL[:12], REPOSITORY.partition("/")[2]
OTHER = f"sha256:{'f' * 64}"
USER = {"me": "open sesame"}


def pushed(part: Part, folder: Path, **headers: str) -> tuple[str, str]:
    """Push an index of two platforms and an attestation under the commit's tag; return its digest and a platform's."""
    entries: list[dict[str, Any]] = []
    for name, platform in (("amd64", "linux"), ("arm64", "linux"), ("unknown", "unknown")):
        (folder / name).mkdir()
        image = build(folder / name, {"platform": name})
        for blob in (image.config, image.layer):
            where = f"/v2/{PATH}/blobs/uploads/?digest={digest_of(blob)}"
            assert ask(part, "POST", where, blob, **headers).status == 201
        put = ask(part, "PUT", f"/v2/{PATH}/manifests/{image.digest}", image.manifest, Content_Type=MANIFEST, **headers)
        assert put.status == 201
        entry = {"mediaType": MANIFEST, "digest": image.digest, "size": len(image.manifest)}
        entries.append({**entry, "platform": {"os": platform, "architecture": name}})
    body = json.dumps({"schemaVersion": 2, "mediaType": INDEX, "manifests": entries}).encode()
    assert ask(part, "PUT", f"/v2/{PATH}/manifests/{TAG}", body, Content_Type=INDEX, **headers).status == 201
    return digest_of(body), str(entries[1]["digest"])


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Part, str, str]]:
    folder = tmp_path_factory.mktemp("registry")
    part = start("homelab.lab.registry", folder)
    yield (part, *pushed(part, folder))
    part.stop()


def serve(lab: Lab, live: str, image_id: str, stage: Stage) -> None:
    stage.deployment(deployment(live), [replica_set(live)], [pod(img=live, container=running(image_id=image_id))])


def told(stage: Stage, folder: Path, url: str) -> None:
    """Write the user's own file: this is where the registry answers."""
    config = folder / "config.toml"
    config.write_text(f'[registry."reg.example"]\nurl = "{url}"\n')
    stage.lab.env["HOMELAB_CONFIG"] = str(config)


def wait(stage: Stage, *options: str) -> Answer:
    words = ("--sha", FULL, "--stable-for", "0", "--reference-timeout", "2s", "--timeout", "20s")
    return stage.lab.run("deploy", "wait", f"{stage.namespace}/web", *words, *options)


def url(part: Part) -> str:
    return f"http://127.0.0.1:{part.port}"


def test_pods_that_report_a_digest_of_the_registrys_index_prove_the_content(
    stage: Stage, registry: tuple[Part, str, str], tmp_path: Path
) -> None:
    part, _, platform = registry
    told(stage, tmp_path, url(part))
    serve(stage.lab, f"{REPOSITORY}:{TAG}", f"{REPOSITORY}@{platform}", stage)
    answer = wait(stage)
    assert (answer.code, "complete 1/1, proof: digest" in answer.stderr) == (0, True), answer.stderr
    assert "proof: pods" in wait(stage, "--no-registry").stderr


@pytest.mark.parametrize("tag", [f":{TAG}", ""], ids=["beside the tag", "alone"])
def test_14_a_pinned_digest_is_the_commits_when_the_registry_says_so(
    stage: Stage, registry: tuple[Part, str, str], tmp_path: Path, tag: str
) -> None:
    part, index, platform = registry
    told(stage, tmp_path, url(part))
    pinned = f"{REPOSITORY}{tag}@{index}"
    serve(stage.lab, pinned, f"{REPOSITORY}@{platform}", stage)
    answer = wait(stage)
    assert (answer.code, "proof: digest" in answer.stderr) == (0, True), answer.stderr


def test_14_a_pinned_digest_that_the_registry_has_not_for_the_tag_is_another_image(
    stage: Stage, registry: tuple[Part, str, str], tmp_path: Path
) -> None:
    told(stage, tmp_path, url(registry[0]))
    serve(stage.lab, f"{REPOSITORY}:{TAG}@{OTHER}", f"{REPOSITORY}@{OTHER}", stage)
    answer = wait(stage)
    assert (answer.code, "not the registry's digest" in answer.stderr) == (7, True), answer.stderr


def test_a_registry_that_wants_a_user_gets_only_what_is_stored_for_it(stage: Stage, tmp_path: Path) -> None:
    folder = tmp_path / "closed"
    folder.mkdir()
    (folder / "users.json").write_text(json.dumps(USER))
    part = start("homelab.lab.registry", folder, "--users-file", str(folder / "users.json"))
    try:
        basic = base64.b64encode(b"me:open sesame").decode()
        asked = ask(part, "GET", f"/token?scope=repository:{PATH}:pull,push", Authorization=f"Basic {basic}")
        bearer = f"Bearer {json.loads(asked.data)['token']}"
        index, _ = pushed(part, folder, Authorization=bearer)
        told(stage, tmp_path, url(part))
        serve(stage.lab, f"{REPOSITORY}:{TAG}@{index}", f"{REPOSITORY}@{OTHER}", stage)
        docker = tmp_path / "docker"
        docker.mkdir()
        stage.lab.env["DOCKER_CONFIG"] = str(docker)
        refused = wait(stage)
        assert (refused.code, "reg.example does not show t/app" in refused.stderr) == (6, True), refused.stderr
        (docker / "config.json").write_text(json.dumps({"auths": {"reg.example": {"auth": basic}}}))
        answer = wait(stage, "--json")
        assert (answer.code, answer.json["targets"][0]["proof"]) == (0, "digest"), answer.stderr
        assert basic not in answer.stdout + answer.stderr
        assert "wants" not in answer.stderr
    finally:
        part.stop()


def test_a_registry_that_is_away_costs_a_proof_and_a_word(stage: Stage, tmp_path: Path) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        told(stage, tmp_path, f"http://127.0.0.1:{closed.getsockname()[1]}")
        serve(stage.lab, f"{REPOSITORY}:{TAG}", f"{REPOSITORY}@{OTHER}", stage)
        answer = wait(stage, "--json")
    found = answer.json["targets"][0]
    assert (answer.code, found["proof"]) == (0, "pods"), answer.stderr
    assert found["skipped"][0].startswith("no digest proof: ")


def test_a_registry_that_never_answers_holds_a_finished_rollout_for_a_moment_only(stage: Stage, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        told(stage, tmp_path, f"http://127.0.0.1:{silent.getsockname()[1]}")
        serve(stage.lab, f"{REPOSITORY}:{TAG}", f"{REPOSITORY}@{OTHER}", stage)
        answer = stage.wait()
    assert (answer.code, "proof: pods" in answer.stderr) == (0, True), answer.stderr
