"""Argo CD's sync windows, read as Argo CD reads them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from homelab.deploy.gitops.windows import holding

#: A Wednesday.
NOON = datetime(2026, 11, 18, 12, 0, 30, tzinfo=UTC)
APP = {
    "metadata": {"name": "shop-web"},
    "spec": {"destination": {"server": "https://kubernetes.default.svc", "namespace": "shop"}},
}


def window(kind: str, schedule: str, duration: str = "1h", **fields: Any) -> dict[str, Any]:
    return {"kind": kind, "schedule": schedule, "duration": duration, "applications": ["*"], **fields}


def held(*windows: dict[str, Any], now: datetime = NOON) -> bool:
    return holding({"spec": {"syncWindows": list(windows)}}, APP, now) is not None


@pytest.mark.parametrize(
    ("expected", "windows"),
    [
        (False, []),
        (True, [window("deny", "30 11 * * *")]),
        (False, [window("deny", "30 10 * * *")]),
        (True, [window("deny", "0 12 * * *")]),
        (False, [window("allow", "0 12 * * *")]),
        (True, [window("allow", "0 13 * * *")]),
        (False, [window("allow", "0 13 * * *"), window("allow", "50 11 * * *")]),
        (True, [window("allow", "50 11 * * *"), window("deny", "50 11 * * *")]),
        (True, [window("deny", "0 22 * * 1-5", "14h1m")]),
        (False, [window("deny", "0 22 * * 1-5", "14h")]),
        (True, [window("deny", "*/15 * * * *", "5m")]),
        (True, [window("deny", "0 12 18 * sun")]),
        (False, [window("deny", "0 12 17 * sun")]),
        (True, [window("deny", "0 12 * nov wed")]),
        (False, [window("deny", "0 12 * * *", timeZone="Europe/Paris")]),
        (True, [window("deny", "0 13 * * *", timeZone="Europe/Paris")]),
        (True, [window("deny", "@daily", "13h")]),
        (False, [window("deny", "not a schedule")]),
        (False, [window("deny", "* * * * *", "for ever")]),
        (False, [window("deny", "* * * * *", applications=["other"])]),
        (True, [window("deny", "* * * * *", applications=["shop-*"])]),
        (True, [window("deny", "* * * * *", applications=["other"], namespaces=["shop"])]),
        (False, [window("deny", "* * * * *", applications=["other"], namespaces=["shop"], andOperator=True)]),
        (True, [window("deny", "* * * * *", applications=[], clusters=["https://kubernetes.*"])]),
        (False, [window("deny", "* * * * *", applications=[])]),
    ],
)
def test_a_window_holds_a_sync_exactly_when_argo_would(*, expected: bool, windows: list[dict[str, Any]]) -> None:
    assert held(*windows) is expected


def test_whether_one_by_hand_is_let_through_is_known() -> None:
    deny = window("deny", "* * * * *")
    for by_hand in (True, False):
        found = holding({"spec": {"syncWindows": [{**deny, "manualSync": by_hand}]}}, APP, NOON)
        assert found is not None
        assert found.by_hand is by_hand
        assert found.shown == "the sync window deny * * * * * for 1h"
