"""Pods as proof: the new revision's, with the template's images, running and Ready; nothing else."""

from __future__ import annotations

from typing import Any

import pytest

from homelab.deploy import pod_shape, shape
from homelab.deploy.proof import mirrors, short_of_proof, unproven
from tests.deploy.objects import OLD, REPOSITORY, WANTED, old_pod, pod, running, template

TEMPLATE = shape.containers(template(WANTED))


def why(**fields: Any) -> str:
    return unproven(pod_shape.pod(pod(**fields)), TEMPLATE)


def test_a_ready_pod_with_the_templates_image_proves_it() -> None:
    assert why() == ""


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"ready_since": None}, "web-new-1 is not Ready"),
        ({"img": OLD}, f"web-new-1 runs {OLD}, the template says {WANTED}"),
        ({"container": running(image_id="")}, "web-new-1 container app has no image yet"),
        ({"container": running(ready=False)}, "web-new-1 container app is not ready"),
        ({"container": {"state": {"waiting": {}}}}, "web-new-1 container app is not running"),
    ],
    ids=["not ready", "another image", "no image id", "container not ready", "not running"],
)
def test_what_is_missing_is_named(fields: Any, expected: str) -> None:
    assert expected == why(**fields)


def test_a_native_sidecar_must_be_ready_and_an_init_container_need_not_run() -> None:
    def with_init(state: Any, **more: Any) -> str:
        body = pod(init={"proxy": state})
        body["spec"]["initContainers"][0] |= more
        made = template(WANTED)
        made["spec"]["initContainers"] = [{"name": "proxy", "image": WANTED}]
        return unproven(pod_shape.pod(body), shape.containers(made))

    ended = {"state": {"terminated": {"exitCode": 0}}}
    assert with_init(ended) == ""
    assert with_init(running(ready=False), restartPolicy="Always") == "web-new-1 container proxy is not ready"
    assert with_init(running(), restartPolicy="Always") == ""


def test_a_mirrors_image_is_accepted_and_reported() -> None:
    mirrored = f"mirror.example/cache/{WANTED.partition('/')[2]}"
    found = pod_shape.pod(pod(img=mirrored))
    assert unproven(found, TEMPLATE) == ""
    assert mirrors([found], TEMPLATE) == (f"{WANTED} -> {mirrored}",)


def test_containers_that_only_the_pod_has_are_not_asked() -> None:
    body = pod()
    body["spec"]["containers"].append({"name": "injected", "image": "mesh.example/proxy:1"})
    assert unproven(pod_shape.pod(body), TEMPLATE) == ""


def test_every_wanted_pod_must_prove_and_no_old_one_may_live() -> None:
    new, old = [pod_shape.pod(pod())], [pod_shape.pod(old_pod())]
    assert short_of_proof(new, [], TEMPLATE, 1) == ""
    assert short_of_proof(new, [], TEMPLATE, 2) == "1/2 pods of the new revision"
    assert short_of_proof(new, old, TEMPLATE, 1) == "old pod web-old-1 still serves"
    assert short_of_proof(new, [pod_shape.pod(old_pod(deleting=True))], TEMPLATE, 1) == ""
    assert REPOSITORY in WANTED
