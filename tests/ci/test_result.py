from __future__ import annotations

import pytest

from homelab.ci.failure import Failure
from homelab.ci.result import lines_left_out

ONE = Failure(1, "home", "build", "test", "failure", 1, "https://ci.example.org/1", excerpt=("boom",))


@pytest.mark.parametrize(
    ("failures", "left_out"),
    [
        ([ONE], False),
        ([Failure(1, "home", "build", "", "error", 0, "")], False),
        ([Failure(1, "home", "b", "t", "failure", 1, "", excerpt=("boom",), left_out=3)], True),
        ([Failure(1, "home", "b", "t", "failure", 1, "", excerpt=("x" * 150,) * 40)], True),
        ([ONE] * 7, True),
    ],
    ids=["whole", "no log", "earlier lines", "over the budget", "more steps"],
)
def test_what_a_red_answer_leaves_out_is_known(failures: list[Failure], left_out: bool) -> None:
    assert lines_left_out(failures, 40) is left_out
