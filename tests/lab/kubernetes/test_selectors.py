"""Label and field selectors."""

from __future__ import annotations

import pytest

from homelab.lab.kubernetes.refusals import Refusal
from homelab.lab.kubernetes.selectors import field_selector, label_selector, matches_selector, selectable_fields

LABELS = {"app": "web", "tier": "front"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", True),
        ("app=web", True),
        ("app==web", True),
        ("app=api", False),
        ("app!=api", True),
        ("missing!=x", True),
        ("app in (api, web)", True),
        ("app notin (api,web)", False),
        ("missing notin (x)", True),
        ("app", True),
        ("!app", False),
        ("!missing", True),
        ("app=web,tier in (front,back),!missing", True),
        ("app=web,tier=back", False),
    ],
)
def test_label_selectors_select(text, expected):
    assert label_selector(text)(LABELS) is expected


def test_a_malformed_label_selector_is_a_bad_request():
    with pytest.raises(Refusal, match="unable to parse requirement") as refusal:
        label_selector("app=(web")
    assert refusal.value.code == 400


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ({"key": "app", "operator": "In", "values": ["web"]}, True),
        ({"key": "app", "operator": "NotIn", "values": ["web"]}, False),
        ({"key": "app", "operator": "Exists"}, True),
        ({"key": "app", "operator": "DoesNotExist"}, False),
    ],
)
def test_match_expressions_match(rule, expected):
    assert matches_selector({"matchExpressions": [rule]}, LABELS) is expected


def test_match_labels_need_every_label():
    assert matches_selector({"matchLabels": {"app": "web"}}, LABELS)
    assert not matches_selector({"matchLabels": {"app": "web", "more": "x"}}, LABELS)


POD = {"metadata": {"name": "web-1", "namespace": "demo"}, "status": {"phase": "Running"}}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("metadata.name=web-1", True),
        ("metadata.name=web-1,status.phase!=Running", False),
        ("metadata.name!=other", True),
        ("spec.nodeName=", True),
    ],
)
def test_field_selectors_select(text, expected):
    assert field_selector(text, selectable_fields("pods"))(POD) is expected


def test_a_field_that_cannot_be_selected_on_is_a_bad_request():
    with pytest.raises(Refusal, match=r"field label not supported: spec\.replicas") as refusal:
        field_selector("spec.replicas=1", selectable_fields("deployments"))
    assert refusal.value.code == 400
