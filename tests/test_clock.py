from __future__ import annotations

from homelab.clock import SystemClock


def test_a_wall_clock_that_is_set_does_not_move_ours() -> None:
    wall, steady = [1_700_000_000.0], [50.0]
    clock = SystemClock(wall=lambda: wall[0], steady=lambda: steady[0])
    wall[0] += 86_400
    steady[0] += 2

    assert clock.now() == 1_700_000_002.0
    assert clock.monotonic() == 52.0
