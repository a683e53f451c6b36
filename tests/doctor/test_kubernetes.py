from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from homelab.doctor.kubernetes import kubernetes
from homelab.doctor.model import Finding
from homelab.errors import PermissionMissing, TokenMissing
from tests.doctor.fakes import app, status
from tests.trust.fakes import repository

DEPLOY = 'deploy = ["prod/web"]\n'
BASE = "/api/v1/namespaces/prod"
APPS = "/apis/apps/v1/namespaces/prod"
WELL: dict[str, Any] = {
    "/version": {"gitVersion": "v1.33.1"},
    f"{APPS}/deployments/web": {},
    f"{APPS}/replicasets": {},
    f"{BASE}/pods": {},
    f"{BASE}/events": {},
}
FORBIDDEN = PermissionMissing("not allowed to list pods", why="403", fix="-")


def _look(folder: Path, answers: Any, file: str | None = DEPLOY) -> list[Finding]:
    made = app(folder, root=repository(folder, file))
    made.kube_answers = answers
    return list(kubernetes(made, made.settings))


def test_a_cluster_that_is_well_names_its_version_each_workload_and_the_proof(tmp_path: Path) -> None:
    assert [(each.name, each.grade.value, each.says) for each in _look(tmp_path, WELL)] == [
        ("kubernetes", "ok", "canned, v1.33.1"),
        ("kubernetes.prod/web", "ok", "deployment, readable"),
        ("kubernetes.prod.rights", "ok", "may list replicasets, pods, events"),
    ]


def test_a_missing_workload_is_not_there(tmp_path: Path) -> None:
    without = {path: value for path, value in WELL.items() if not path.endswith("web")}
    finding = _look(tmp_path, without)[1]
    assert (finding.grade.value, finding.outcome) == ("fail", 7)


def test_a_server_in_trouble_is_not_a_missing_workload(tmp_path: Path) -> None:
    finding = _look(tmp_path, {**WELL, f"{APPS}/deployments/web": status(500)})[1]
    assert (finding.grade.value, finding.outcome) == ("fail", 5)


def test_a_workload_one_may_not_read_fails_and_missing_proof_only_warns(tmp_path: Path) -> None:
    findings = _look(tmp_path, {**WELL, f"{APPS}/deployments/web": FORBIDDEN, f"{BASE}/pods": FORBIDDEN})
    assert [(each.grade.value, int(each.outcome)) for each in findings[1:]] == [("fail", 4), ("warn", 0)]
    assert "may not list pods in prod" in findings[2].says


def test_no_kubeconfig_matters_only_where_something_is_to_be_deployed(tmp_path: Path) -> None:
    missing = TokenMissing("no kubeconfig found", why="w", fix="f")
    with pytest.raises(TokenMissing):
        _look(tmp_path, missing)
    (tmp_path / "clone" / ".homelab.toml").unlink()
    assert [each.grade.value for each in _look(tmp_path, missing, None)] == ["skip"]


def test_each_kind_is_read_where_it_lives_with_what_owns_its_pods(tmp_path: Path) -> None:
    file = "[[deploy]]\nnamespace = 'prod'\nname = 'store'\nkind = 'daemonset'\n"
    answers = {**WELL, f"{APPS}/daemonsets/store": {}, f"{APPS}/controllerrevisions": FORBIDDEN}
    findings = _look(tmp_path, answers, file)
    assert [each.grade.value for each in findings] == ["ok", "ok", "warn"]
    assert "may not list controllerrevisions in prod" in findings[2].says


def test_an_object_of_gitops_is_read_where_it_lives(tmp_path: Path) -> None:
    file = "[[deploy]]\nnamespace = 'argocd'\nname = 'shop'\nkind = 'application'\n"
    answers = {"/version": {}, "/apis/argoproj.io/v1alpha1/namespaces/argocd/applications/shop": {}}
    assert [each.grade.value for each in _look(tmp_path, answers, file)] == ["ok", "ok"]
