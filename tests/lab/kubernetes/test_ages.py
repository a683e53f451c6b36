"""Ages as kubectl writes them."""

from __future__ import annotations

import pytest

from homelab.lab.kubernetes.ages import age


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (0, "0s"),
        (119, "119s"),
        (120, "2m"),
        (150, "2m30s"),
        (660, "11m"),
        (4 * 3600, "4h"),
        (30 * 3600, "30h"),
        (9 * 86400, "9d"),
    ],
)
def test_ages_are_written_as_kubectl_writes_them(seconds, expected):
    assert age("2023-11-14T22:13:20Z", 1_700_000_000.0 + seconds) == expected


def test_an_age_of_nothing_is_unknown():
    assert age(None, 0.0) == "<unknown>"
