from __future__ import annotations

import pytest

from homelab.http.skew import skew

NOON = 1_700_000_000.0


@pytest.mark.parametrize(
    ("headers", "ahead"),
    [
        ({"date": "Tue, 14 Nov 2023 22:13:20 GMT"}, 0.0),
        ({"date": "Tue, 14 Nov 2023 22:14:50 GMT"}, 90.0),
        ({"date": "yesterday"}, None),
        ({}, None),
    ],
)
def test_the_senders_clock_is_read_from_its_date(headers: dict[str, str], ahead: float | None) -> None:
    assert skew(headers, NOON) == ahead
