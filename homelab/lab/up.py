"""``lab up``: start every part that does not run, in the order they need each other. Layer: lab."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from homelab.clock import Clock
from homelab.errors import LockBusy, UsageError
from homelab.events import Emit
from homelab.lab.down import stop_all, stop_some
from homelab.lab.events import LabStarted
from homelab.lab.layout import Layout
from homelab.lab.ledger import Ledger
from homelab.lab.needs import check_needs
from homelab.lab.parts import start_parts
from homelab.lab.ports import Ports
from homelab.lab.process import alive, undisturbed
from homelab.lab.status import LabResult, status
from homelab.outcome import Outcome
from homelab.whole_file import write_whole


def up(lab: Layout, *, env: Mapping[str, str], clock: Clock, emit: Emit) -> LabResult:
    """Make the lab whole: what runs is left alone, what died is started again on its own state and port.

    Raises UsageError for a folder that holds something else, LockBusy while another ``up`` is at it,
    Unreachable when a part does not start; what was started then is stopped again.
    """
    check_needs()
    _claim(lab)
    with _alone(lab):
        found = status(lab)
        if found.outcome is Outcome.DONE:
            return found
        began = clock.monotonic()
        _clear(lab)
        try:
            dial = start_parts(lab, env=env, clock=clock, emit=emit)
        except BaseException:
            with undisturbed():
                stop_all(lab)
            raise
        write_whole(lab.ready, json.dumps({"dial": dial}))
        emit(LabStarted(folder=str(lab.root), seconds=clock.monotonic() - began))
        return status(lab)


def _clear(lab: Layout) -> None:
    """Put away what died. A lab that never was whole, or whose port somebody took, is put away entirely."""
    dead = [name for name, child in Ledger(lab.ledger).children().items() if not alive(child)]
    ports = Ports(lab.ports)
    if lab.ready.exists() and all(ports.again(name) for name in dead):
        stop_some(lab, dead)
    else:
        stop_all(lab)
    lab.ready.unlink(missing_ok=True)


def _claim(lab: Layout) -> None:
    """Mark an empty folder as the lab's; refuse one that somebody else uses."""
    if lab.root.exists() and not lab.mark.exists() and (not lab.root.is_dir() or any(lab.root.iterdir())):
        raise UsageError(
            f"{lab.root} holds something else",
            why="a lab's folder is removed by `lab down`",
            fix="homelab lab up --dir FOLDER",
        )
    try:
        lab.root.mkdir(parents=True, exist_ok=True, mode=0o700)
        lab.mark.touch()
    except OSError as error:
        raise UsageError(
            f"{lab.root} cannot be made",
            why=error.strerror or type(error).__name__,
            fix="homelab lab up --dir FOLDER, or set XDG_STATE_HOME to a folder of yours",
        ) from error


@contextmanager
def _alone(lab: Layout) -> Iterator[None]:
    """Hold the folder's lock; the kernel lets it go with this process."""
    descriptor = os.open(lab.mark, os.O_RDWR)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError:
        raise LockBusy(
            f"another `lab up` is at work in {lab.root}", why="it holds the folder's lock", fix=lab.command("status")
        ) from None
    finally:
        os.close(descriptor)
