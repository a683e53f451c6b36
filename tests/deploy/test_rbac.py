"""``deploy rbac``: a Role that names exactly what the wait asks for."""

from __future__ import annotations

import yaml

from homelab.deploy.rbac import rbac
from homelab.settings.model import DeployTarget

WEB, DB, APP = (
    DeployTarget("shop", "web"),
    DeployTarget("data", "db", "statefulset"),
    DeployTarget("argocd", "shop", "application"),
)


def test_the_least_role_is_get_on_the_workload_alone() -> None:
    (role,) = rbac([WEB], least=True).objects
    assert role["rules"] == [
        {"apiGroups": ["apps"], "resources": ["deployments"], "verbs": ["get"], "resourceNames": ["web"]}
    ]


def test_full_proof_adds_revisions_pods_events_and_logs() -> None:
    (role,) = rbac([WEB]).objects
    assert [(rule["resources"], rule["verbs"]) for rule in role["rules"]] == [
        (["deployments"], ["get", "list", "watch"]),
        (["replicasets"], ["list"]),
        (["pods"], ["list"]),
        (["events"], ["list"]),
        (["pods/log"], ["get"]),
    ]


def test_a_cronjobs_runs_may_be_followed() -> None:
    (role,) = rbac([DeployTarget("shop", "nightly", "cronjob")]).objects
    assert {"apiGroups": ["batch"], "resources": ["jobs"], "verbs": ["get", "list", "watch"]} in role["rules"]


def test_each_namespace_has_its_own_role_and_binding() -> None:
    objects = rbac([WEB, DB, APP], account="ci/runner").objects
    assert [(item["kind"], item["metadata"]["namespace"]) for item in objects] == [
        ("Role", "argocd"),
        ("RoleBinding", "argocd"),
        ("Role", "data"),
        ("RoleBinding", "data"),
        ("Role", "shop"),
        ("RoleBinding", "shop"),
    ]
    assert objects[1]["subjects"] == [{"kind": "ServiceAccount", "name": "runner", "namespace": "ci"}]


def test_what_is_printed_is_yaml_of_the_same_objects() -> None:
    result = rbac([WEB, DB, APP], account="ci/runner")
    assert list(yaml.safe_load_all("\n".join(result.lines()))) == list(result.objects)
