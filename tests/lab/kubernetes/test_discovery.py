"""What clients learn before they ask for anything."""

from __future__ import annotations

from homelab.lab.kubernetes.discovery import group, groups, resources
from homelab.lab.kubernetes.kinds import SERVED
from homelab.lab.kubernetes.openapi import document, index


def test_every_served_kind_is_discovered():
    found = set()
    for one in groups()["groups"]:
        for version in one["versions"]:
            name = version["groupVersion"]
            found |= {(name, entry["name"]) for entry in resources(one["name"], version["version"])["resources"]}
    found |= {("v1", entry["name"]) for entry in resources("", "v1")["resources"]}
    assert {(kind.group_version, kind.plural) for kind in SERVED} <= found
    assert {("apps/v1", "deployments/scale"), ("v1", "pods/log"), ("apps/v1", "deployments/status")} <= found


def test_an_unknown_group_is_not_discovered():
    assert group("nothing.test") is None
    assert resources("apps", "v9") is None


def test_openapi_says_that_patches_are_validated():
    assert "apis/apps/v1" in index()["paths"]
    patch = document("apps", "v1")["paths"]["/apis/apps/v1/namespaces/{namespace}/deployments/{name}"]["patch"]
    assert "fieldValidation" in [parameter["name"] for parameter in patch["parameters"]]
    assert patch["x-kubernetes-group-version-kind"] == {"group": "apps", "version": "v1", "kind": "Deployment"}
