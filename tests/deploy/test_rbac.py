"""``deploy rbac``: a Role that names exactly what the wait asks for."""

from __future__ import annotations

import yaml

from homelab.deploy.rbac import Rights, rbac
from homelab.settings.model import DeployTarget

WEB, DB, APP = (
    DeployTarget("shop", "web"),
    DeployTarget("data", "db", "statefulset"),
    DeployTarget("argocd", "shop", "application"),
)


def test_the_least_role_is_get_on_the_workload_alone() -> None:
    (role,) = rbac([WEB], Rights(least=True)).objects
    assert role["rules"] == [
        {"apiGroups": ["apps"], "resources": ["deployments"], "verbs": ["get"], "resourceNames": ["web"]}
    ]


def test_full_proof_adds_revisions_pods_events_and_logs() -> None:
    (role,) = rbac([WEB]).objects
    assert [(rule["resources"], rule["verbs"]) for rule in role["rules"]] == [
        (["deployments"], ["get", "list", "watch"]),
        (["replicasets"], ["list"]),
        (["pods", "events"], ["list"]),
        (["pods/log", "persistentvolumeclaims"], ["get"]),
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


def rules_of(*targets: DeployTarget, rights: Rights | None = None) -> list[tuple[list[str], list[str], bool]]:
    return [
        (rule["resources"], rule["verbs"], "resourceNames" in rule)
        for item in rbac(targets, rights or Rights()).objects
        for rule in item["rules"]
    ]


def test_many_targets_are_listed_whole_since_no_list_of_names_allows_that() -> None:
    many = [DeployTarget("shop", f"web-{n}") for n in range(9)]
    assert (["deployments"], ["get", "list", "watch"], False) in rules_of(*many)
    changing = rules_of(*many, rights=Rights(change=True))
    assert (["deployments"], ["patch"], True) in changing


def test_a_gitops_object_is_read_and_with_refresh_asked_to_look_and_has_no_pods() -> None:
    assert rules_of(APP) == [(["applications"], ["get"], True), (["appprojects"], ["get"], False)]
    assert (["applications"], ["get", "patch"], True) in rules_of(APP, rights=Rights(refresh=True))
    flux = rules_of(DeployTarget("flux-system", "apps", "kustomization"), rights=Rights(refresh=True))
    assert (["*"], ["patch"], False) in flux


def test_nodes_and_changes_are_rights_of_their_own() -> None:
    (*_, nodes) = rbac([WEB], Rights(nodes=True)).objects
    assert (nodes["kind"], nodes["rules"][0]["resources"], "namespace" in nodes["metadata"]) == (
        "ClusterRole",
        ["nodes"],
        False,
    )
    assert (["deployments"], ["get", "list", "watch", "patch"], True) in rules_of(WEB, rights=Rights(change=True))
