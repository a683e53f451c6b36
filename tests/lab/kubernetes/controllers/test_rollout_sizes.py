"""How many pods each ReplicaSet may have."""

from __future__ import annotations

import pytest

from homelab.lab.kubernetes.controllers.rollout_sizes import MAXIMUM, limits, new_size, proportional_sizes, scaled


def deployment(replicas: int, surge: object = "25%", unavailable: object = "25%") -> dict:
    rolling = {"maxSurge": surge, "maxUnavailable": unavailable}
    return {"spec": {"replicas": replicas, "strategy": {"type": "RollingUpdate", "rollingUpdate": rolling}}}


def replica_set(name: str, size: int, maximum: int = 0, created: int = 0) -> dict:
    meta = {
        "name": name,
        "annotations": {MAXIMUM: str(maximum)},
        "creationTimestamp": f"2026-01-01T00:00:{created:02}Z",
    }
    return {"metadata": meta, "spec": {"replicas": size}}


def test_percentages_round_up_for_surge_and_down_for_unavailable():
    assert (scaled("25%", 3, up=True), scaled("25%", 3, up=False), scaled(2, 3, up=True)) == (1, 0, 2)


@pytest.mark.parametrize(
    ("item", "expected"),
    [
        (deployment(1), (1, 0)),
        (deployment(4), (1, 1)),
        (deployment(10), (3, 2)),
        (deployment(4, 0, 0), (0, 1)),
        (deployment(2, 1, 5), (1, 2)),
        ({"spec": {"replicas": 4, "strategy": {"type": "Recreate"}}}, (0, 0)),
    ],
)
def test_limits_are_never_both_zero_for_a_rolling_update(item, expected):
    assert limits(item) == expected


def test_the_new_set_grows_into_the_room_there_is():
    assert new_size(deployment(4), [replica_set("old", 4)], 0) == 1
    assert new_size(deployment(4), [replica_set("old", 2), replica_set("new", 1)], 1) == 3
    assert new_size(deployment(4), [replica_set("old", 5)], 0) == 0


def test_a_scaled_rollout_keeps_its_proportions():
    sets = [replica_set("old", 8, 12, created=1), replica_set("new", 4, 12, created=2)]
    sizes = proportional_sizes(deployment(20, 4, 0), sets)
    assert sizes == {"old": 16, "new": 8}


def test_what_does_not_divide_goes_to_the_largest():
    sets = [replica_set("old", 3, 5, created=1), replica_set("new", 2, 5, created=2)]
    sizes = proportional_sizes(deployment(8, 1, 0), sets)
    assert sum(sizes.values()) == 9
    assert sizes["old"] > sizes["new"]
