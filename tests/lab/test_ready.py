from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path

from homelab.lab.ready import announce, read_ready, told_to_stop


def test_a_ready_file_says_the_port_and_who_serves_on_it(tmp_path: Path) -> None:
    announce(tmp_path / "ready.json", 4321)
    assert read_ready(tmp_path / "ready.json") == {"port": 4321, "pid": os.getpid()}


def test_a_ready_file_that_is_not_written_yet_reads_as_none(tmp_path: Path) -> None:
    assert read_ready(tmp_path / "ready.json") is None


def test_a_server_is_told_to_stop_by_sigterm_and_by_ctrl_c() -> None:
    async def told_by(number: signal.Signals) -> bool:
        told = told_to_stop()
        os.kill(os.getpid(), number)
        return await asyncio.wait_for(told.wait(), 5)

    assert asyncio.run(told_by(signal.SIGTERM))
    assert asyncio.run(told_by(signal.SIGINT))
