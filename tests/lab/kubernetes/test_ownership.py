"""managedFields."""

from __future__ import annotations

import pytest

from homelab.lab.kubernetes.apply import applied
from homelab.lab.kubernetes.ownership import Writer, entry_of, fields_v1, leaves, managers, owned, updated
from homelab.lab.kubernetes.refusals import Refusal

IMAGE = ("f:spec", "f:template", "f:spec", "f:containers", 'k:{"name":"app"}', "f:image")
KUBECTL = Writer("kubectl-client-side-apply", "Update")
SETTER = Writer("kubectl-set", "Update")


def item(image: str, **spec: object) -> dict:
    template = {"spec": {"containers": [{"name": "app", "image": image}]}}
    return {"apiVersion": "apps/v1", "metadata": {"name": "web"}, "spec": {"template": template, **spec}}


def write(before: dict, after: dict, writer: Writer) -> dict:
    return updated(before, after, writer, 0.0)


def made() -> dict:
    return write({"metadata": {}}, item("a:1", replicas=1), KUBECTL)


def owner(found: dict, path: tuple[str, ...]) -> list[str]:
    return [entry["manager"] for entry in managers(found) if path in owned(entry)]


def test_the_creator_owns_everything_it_set():
    assert owner(made(), IMAGE) == owner(made(), ("f:spec", "f:replicas")) == ["kubectl-client-side-apply"]


def test_who_changes_a_field_takes_it_over():
    found = write(made(), item("a:2", replicas=1), SETTER)
    assert owner(found, IMAGE) == ["kubectl-set"]
    assert owner(found, ("f:spec", "f:replicas")) == ["kubectl-client-side-apply"]


def test_a_write_that_changes_nothing_owns_nothing():
    assert managers(write(made(), item("a:1", replicas=1), SETTER)) == managers(made())


def test_a_removed_field_is_nobodys():
    found = write(made(), item("a:1"), SETTER)
    assert owner(found, ("f:spec", "f:replicas")) == []


def test_a_status_write_owns_status_only():
    after = {**item("a:2", replicas=1), "status": {"replicas": 1}}
    found = write(made(), after, Writer("controller", "Update", "status"))
    assert owner(found, ("f:status", "f:replicas")) == ["controller"]
    assert owner(found, IMAGE) == ["kubectl-client-side-apply"]


def test_managed_fields_written_by_hand_are_left_alone():
    after = item("a:2", replicas=1)
    after["metadata"]["managedFields"] = []
    assert write(made(), after, SETTER)["metadata"]["managedFields"] == []


def test_an_applier_conflicts_with_an_updater_and_says_how_it_wrote():
    intent = {"apiVersion": "apps/v1", "spec": {"replicas": 5}}
    with pytest.raises(Refusal) as refusal:
        applied(made(), intent, manager="ours", force=False, now=0.0, part="")
    assert refusal.value.message == (
        'Apply failed with 1 conflict: conflict with "kubectl-client-side-apply" using apps/v1: .spec.replicas'
    )


def test_what_the_server_sets_is_nobodys():
    meta = {"name": "web", "uid": "x", "resourceVersion": "1", "labels": {"a": "b"}}
    assert leaves({"kind": "Deployment", "metadata": meta}) == {("f:metadata", "f:labels", "f:a")}


def test_the_nested_form_is_read_back():
    paths = {IMAGE, ("f:spec", "f:replicas")}
    assert owned(entry_of(KUBECTL, "v1", 0.0, paths)) == paths
    assert fields_v1({("f:spec", "f:replicas")}) == {"f:spec": {"f:replicas": {}}}
