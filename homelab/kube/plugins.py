"""Exec credential plugins under a limit: the library starts them and waits for ever.

Layer: the Kubernetes adapter, below access; names no library.
"""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from homelab.errors import CredentialsError

#: Between asking a plugin to end and making it.
GRACE = 1.0


class Plugins:
    """Stands where the library looks for ``subprocess``: remembers what it starts, to end it with its children."""

    PIPE = subprocess.PIPE

    def __init__(self) -> None:
        """Remember nothing yet."""
        self._started: list[tuple[subprocess.Popen[Any], bool]] = []

    def Popen(self, args: Any, **options: Any) -> subprocess.Popen[Any]:  # noqa: N802 -- the library's word
        """Start a plugin; in a session of its own unless it was given the terminal to ask a person."""
        apart = options.get("stdin") is None
        if apart:
            options |= {"stdin": subprocess.DEVNULL, "start_new_session": True}
        started = subprocess.Popen(args, **options)
        self._started.append((started, apart))
        return started

    def forget(self) -> None:
        """Forget those that have answered."""
        self._started.clear()

    def end(self) -> None:
        """End what still runs, and everything it started."""
        for started, apart in self._started:
            _signal(started, signal.SIGTERM, group=apart)
            with suppress(subprocess.TimeoutExpired):
                started.wait(GRACE)
            _signal(started, signal.SIGKILL, group=apart)
        self.forget()


def _signal(started: subprocess.Popen[Any], number: signal.Signals, *, group: bool) -> None:
    with suppress(ProcessLookupError, PermissionError):
        if group:
            # Its children may outlive it and hold its output open.
            os.killpg(started.pid, number)
        else:
            started.send_signal(number)


def within(seconds: float, work: Callable[[], Any], plugins: Plugins) -> Any:
    """Do ``work`` in at most ``seconds``; a plugin that takes longer is ended. Raises CredentialsError then."""
    answer: list[Any] = []
    failed: list[BaseException] = []

    def run() -> None:
        try:
            answer.append(work())
        except BaseException as error:  # noqa: BLE001 -- handed to the caller's thread as it is
            failed.append(error)

    thread = threading.Thread(target=run, name="kubernetes credentials", daemon=True)
    thread.start()
    try:
        thread.join(seconds)
        in_time = not thread.is_alive()
    except BaseException:
        plugins.end()
        raise
    if not in_time:
        plugins.end()
        raise CredentialsError(
            f"the kubeconfig's exec plugin did not answer within {seconds:.0f} s",
            why="it may be waiting for a login that cannot happen here",
            fix="log in with it once by hand, then run this again",
        )
    plugins.forget()
    if failed:
        raise failed[0]
    return answer[0]
