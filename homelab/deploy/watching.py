"""A watch that rings when something changed. It never answers anything: a look does.

Layer: the deploy domain; a thread of its own, talks to the port.
"""

from __future__ import annotations

import random
import threading
from http import HTTPStatus

from homelab.clock import Clock, Wake
from homelab.errors import HomelabError, HttpStatus, PermissionMissing, Unreachable
from homelab.kube.port import Cluster, Params, Watching

LONGEST_PAUSE = 30.0
#: A watch that ends sooner than this was no watch: pause before the next.
TOO_SHORT = 1.0


class Listener:
    """Watches one object or list in a thread and rings ``wake``; gives up silently where it may not watch."""

    def __init__(self, cluster: Cluster, path: str, params: Params, *, wake: Wake, clock: Clock) -> None:
        """Start nothing yet."""
        self._cluster, self._path, self._params = cluster, path, params
        self._wake, self._clock = wake, clock
        self._stopping = threading.Event()
        self._pause = Wake()
        self._open: Watching | None = None
        self._failures = 0
        #: True while a watch is open: then polling may be rare.
        self.healthy = False

    def start(self) -> None:
        """Begin, in a daemon thread: a blocked read must not keep the process alive."""
        threading.Thread(target=self.run, name=f"watch {self._path}", daemon=True).start()

    def stop(self) -> None:
        """End the watch and its thread soon."""
        self._stopping.set()
        self._pause.ring()
        if self._open is not None:
            self._open.close()

    def run(self) -> None:
        """List, watch, and start over until stopped or not allowed."""
        version = ""
        while not self._stopping.is_set():
            try:
                version = version or self._listed()
                version = version if self._stopping.is_set() else self._watch(version)
            except PermissionMissing:
                break
            except HttpStatus as error:
                version = ""
                if error.status not in (HTTPStatus.GONE, HTTPStatus.TOO_MANY_REQUESTS) and error.status < 500:  # noqa: PLR2004 -- the rest of the 4xx
                    break
                self._rest(at_least=error.retry_after or 0.0)
            except Unreachable:
                self._rest()
            except HomelabError:
                break
            finally:
                self.healthy = False
        self._wake.ring()

    def _listed(self) -> str:
        answer = self._cluster.list(self._path, self._params, keep=lambda _item: None)
        return str(answer["resourceVersion"])

    def _watch(self, version: str) -> str:
        """Follow one watch to its end; return the version to go on from."""
        began = self._clock.monotonic()
        self._open = self._cluster.watch(self._path, resource_version=version, params=self._params)
        if self._stopping.is_set():
            self._open.close()
        # What changed between the list and this moment is in the stream; between the caller's look and the list, not.
        self.healthy = True
        self._wake.ring()
        for event in self._open:
            about = (event.get("object") or {}).get("metadata") or {}
            version = str(about.get("resourceVersion") or version)
            self._failures = 0
            if event.get("type") != "BOOKMARK":
                self._wake.ring()
        if self._clock.monotonic() - began < TOO_SHORT:
            self._rest()
        return version

    def _rest(self, *, at_least: float = 0.0) -> None:
        """Pause longer after each failure in a row, with jitter, so that many waiters do not come back at once."""
        self.healthy = False
        self._wake.ring()
        self._failures += 1
        longest = min(2.0**self._failures, LONGEST_PAUSE)
        pause = max(random.uniform(0.5, 1.0) * longest, at_least)  # noqa: S311 -- jitter
        self._clock.wait(self._pause, pause)
