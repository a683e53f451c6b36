"""The bound on requests, over virtual time."""

from __future__ import annotations

from homelab.kube.pace import Pace
from tests.fakes import FakeClock


def test_a_burst_costs_no_time_and_what_follows_is_spread(clock: FakeClock) -> None:
    pace = Pace(clock, rate=5.0, burst=3)
    for _ in range(3):
        pace.take()
    assert clock.elapsed == 0.0
    for _ in range(10):
        pace.take()
    assert abs(clock.elapsed - 2.0) < 1e-6


def test_a_pause_refills_the_bucket_but_not_beyond_its_size(clock: FakeClock) -> None:
    pace = Pace(clock, rate=5.0, burst=3)
    for _ in range(3):
        pace.take()
    clock.sleep(100)
    began = clock.elapsed
    for _ in range(3):
        pace.take()
    assert clock.elapsed == began
    pace.take()
    assert clock.elapsed > began
