from __future__ import annotations

import pytest

from homelab.doctor.clocks import clock, span


@pytest.mark.parametrize(("ahead", "said"), [(90.0, "90 s behind"), (-7200.0, "2 h ahead of")])
def test_clocks_that_disagree_are_a_warning(ahead: float, said: str) -> None:
    (finding,) = clock("x", "ci", ahead)
    assert said in finding.says


@pytest.mark.parametrize("ahead", [None, 0.0, 29.0, -29.0])
def test_clocks_that_agree_say_nothing(ahead: float | None) -> None:
    assert list(clock("x", "ci", ahead)) == []


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0, "0 s"), (119, "119 s"), (120, "2 min"), (7200, "2 h"), (29 * 86400, "29 days"), (-5, "0 s")],
)
def test_spans_are_said_as_people_do(seconds: float, said: str) -> None:
    assert span(seconds) == said
