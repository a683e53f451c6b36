"""What an image's labels say."""

from __future__ import annotations

import math

import pytest

from homelab.lab.kubernetes.node.life import Life, read_life
from homelab.lab.kubernetes.node.speeds import back_off


def test_no_labels_mean_a_container_that_runs_and_says_nothing():
    assert read_life({"other": "label"}) == Life()


def test_labels_are_read():
    labels = {"crash-after": "1.5", "exit-code": "3", "log": "a\nb", "ready-after": "never", "crashes": "2"}
    life = read_life({f"homelab.lab/{name}": value for name, value in labels.items()})
    assert (life.crash_after, life.exit_code, life.log, life.ready_after, life.crashes) == (
        1.5,
        3,
        ("a", "b"),
        math.inf,
        2.0,
    )


def test_out_of_memory_is_exit_code_137_at_once_unless_told_when():
    life = read_life({"homelab.lab/oom-killed": "true"})
    assert (life.oom_killed, life.exit_code, life.crash_after) == (True, 137, 0.0)


@pytest.mark.parametrize("value", ["", "soon"])
def test_a_label_that_makes_no_sense_counts_as_absent(value):
    assert read_life({"homelab.lab/crash-after": value, "homelab.lab/exit-code": value}) == Life()


def test_back_off_doubles_to_its_limit():
    assert [back_off(1.0, times, 10.0) for times in range(1, 7)] == [1.0, 2.0, 4.0, 8.0, 10.0, 10.0]
