"""Commands to type next look at the cluster they are about."""

from __future__ import annotations

import pytest

from homelab.deploy.next_command import in_its_cluster
from homelab.deploy.reference import Wanted
from homelab.deploy.request import WaitRequest
from homelab.settings.model import DeployTarget

WEB = DeployTarget("t", "web")


@pytest.mark.parametrize(
    ("hint", "expected"),
    [
        ("kubectl rollout resume deployment/web -n t", "kubectl --context home rollout resume deployment/web -n t"),
        ("homelab deploy logs t/web --previous", "homelab deploy logs t/web@home --previous"),
        ("homelab deploy wait t/web@home --newer-ok", "homelab deploy wait t/web@home --newer-ok"),
        (
            "flux resume kustomization apps -n flux-system",
            "flux resume kustomization apps -n flux-system --context home",
        ),
        (
            "check that CI pushed this tag, then: homelab ci status",
            "check that CI pushed this tag, then: homelab ci status",
        ),
    ],
)
def test_a_typed_context_is_in_the_next_command_too(hint: str, expected: str) -> None:
    request = WaitRequest(targets=(WEB,), wanted=Wanted(oid="1" * 40), context="home")
    assert in_its_cluster(hint, request.expectation(WEB)) == expected


def test_without_a_context_nothing_is_added() -> None:
    request = WaitRequest(targets=(WEB,), wanted=Wanted(oid="1" * 40))
    assert in_its_cluster("kubectl get pods", request.expectation(WEB)) == "kubectl get pods"
