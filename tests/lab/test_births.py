from __future__ import annotations

import os
import shutil
import subprocess
import sys

import pytest

from homelab.lab import births

GONE = 2**22 + 1


def test_a_process_has_one_birth_and_a_missing_one_none() -> None:
    assert births.birth(os.getpid()) == births.birth(os.getpid()) is not None
    assert births.birth(GONE) is None


@pytest.mark.skipif(sys.platform != "linux", reason="waits for a zombie by /proc")
def test_a_dead_child_that_nobody_reaped_has_no_birth_and_does_not_run() -> None:
    child = subprocess.Popen(["true"], start_new_session=True)
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    try:
        assert births.birth(child.pid) is None
        assert not births.somebody_runs(child.pid)
    finally:
        child.wait()


def test_a_group_with_a_living_member_runs() -> None:
    assert births.somebody_runs(os.getpgrp())
    assert not births.somebody_runs(GONE)


@pytest.mark.skipif(shutil.which("ps") is None, reason="needs ps")
def test_ps_tells_a_living_process_from_a_missing_one() -> None:
    assert births._from_ps(os.getpid()) == births._from_ps(os.getpid()) is not None
    assert births._from_ps(GONE) is None
