"""Kubernetes answers in our errors: the class decides the exit code, the texts what a person types next."""

from __future__ import annotations

import json

import pytest

from homelab.errors import (
    CertificateRefused,
    HttpStatus,
    PermissionMissing,
    TokenRejected,
    Unreachable,
    WrongService,
)
from homelab.kube import answers
from homelab.outcome import Outcome

POD = "/api/v1/namespaces/shop/pods/web-1"


def status(reason: str, message: str) -> bytes:
    return json.dumps({"kind": "Status", "reason": reason, "message": message}).encode()


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/apis/apps/v1/namespaces/shop/deployments/web", ("deployments", "namespace shop")),
        ("/apis/apps/v1/namespaces/shop/deployments", ("deployments", "namespace shop")),
        (POD, ("pods", "namespace shop")),
        (POD + "/log", ("pods/log", "namespace shop")),
        ("/api/v1/nodes", ("nodes", "the cluster")),
        ("/apis/apps/v1/deployments", ("deployments", "the cluster")),
        ("/api/v1/namespaces/shop", ("namespaces", "the cluster")),
        ("/version", ("the API", "the cluster")),
    ],
)
def test_a_path_names_its_resource_as_a_role_does(path: str, expected: tuple[str, str]) -> None:
    assert expected == answers.resource_of(path)


@pytest.mark.parametrize(
    ("code", "expected", "outcome"),
    [
        (401, TokenRejected, Outcome.CREDENTIALS),
        (403, PermissionMissing, Outcome.CREDENTIALS),
        (404, HttpStatus, Outcome.UNREACHABLE),
        (302, WrongService, Outcome.UNREACHABLE),
        (503, HttpStatus, Outcome.UNREACHABLE),
    ],
)
def test_each_status_is_its_own_error(code: int, expected: type[Exception], outcome: Outcome) -> None:
    error = answers.refusal(code, b"{}", verb="get", path=POD, server="lab")
    assert type(error) is expected
    assert error.outcome is outcome


def test_a_missing_right_is_named_by_verb_resource_and_namespace() -> None:
    body = status("Forbidden", 'pods is forbidden: User "ci" cannot list resource "pods"')
    error = answers.refusal(403, body, verb="list", path="/api/v1/namespaces/shop/pods", server="lab")
    assert error.what == "lab: not allowed to list pods in namespace shop"
    assert "cannot list resource" in error.why
    assert "homelab deploy rbac" in error.fix


def test_a_body_is_clipped() -> None:
    error = answers.refusal(500, b"x" * 10_000, verb="get", path=POD, server="lab")
    assert isinstance(error, HttpStatus)
    assert len(error.body) <= 256
    assert len(error.why) <= 256


@pytest.mark.parametrize("reason", ["Expired", "Gone"])
def test_both_spellings_of_a_forgotten_version_are_410(reason: str) -> None:
    error = answers.stream_error({"reason": reason, "message": "too old"}, path=POD, server="lab")
    assert isinstance(error, HttpStatus)
    assert error.status == 410


def test_a_stream_error_without_a_code_is_a_server_error() -> None:
    error = answers.stream_error({"message": "etcd"}, path=POD, server="lab")
    assert isinstance(error, HttpStatus)
    assert error.status == 500


def test_a_login_page_is_not_a_kubernetes_api() -> None:
    error = answers.not_json("lab", b"<!doctype html>\n<title>Log in</title>")
    assert error.why == "expected a JSON object, got: <!doctype html> <title>Log in</title>"


def test_certificate_and_silence_are_told_apart() -> None:
    assert type(answers.bad_certificate("lab", "expired")) is CertificateRefused
    assert type(answers.no_answer("lab", "https://x", "refused")) is Unreachable
