"""The work queue all controllers share: what to look at now, what later, who is frozen. Layer: drives controllers.

Single-threaded and without a sleep of its own: a server's event loop or a test's virtual clock drives ``step``.
"""

from __future__ import annotations

import heapq
import logging
from collections.abc import Callable, Iterable
from typing import Protocol, TypeAlias

from homelab.lab.kubernetes.refusals import Refusal
from homelab.lab.kubernetes.store import Change, ChangeType, Store

Name: TypeAlias = tuple[str, str]
Work: TypeAlias = tuple[str, Name]

_FIRST_RETRY = 0.05
_LAST_RETRY = 30.0
_log = logging.getLogger(__name__)


class Controller(Protocol):
    """One control loop."""

    name: str

    def concerns(self, change: Change) -> Iterable[Name]:
        """Return the (namespace, name) of each object to look at after ``change``."""

    def reconcile(self, namespace: str, name: str) -> float | None:
        """Look and take one step; return the seconds until the next look without a change, None for none."""


class Loop:
    """Runs controllers over the changes of a store."""

    def __init__(
        self, store: Store, controllers: Iterable[Controller], *, wake: Callable[[], None] = lambda: None
    ) -> None:
        """Listen to ``store``; ``wake`` is called when there is something to do at once."""
        self.frozen: set[str] = set()
        self._controllers = {controller.name: controller for controller in controllers}
        self._store = store
        self._now = store.now
        self._wake = wake
        self._ready: dict[Work, None] = {}
        self._later: list[tuple[float, Work]] = []
        self._due: dict[Work, float] = {}
        self._failures: dict[Work, int] = {}
        store.subscribe(self._notice)

    @property
    def names(self) -> list[str]:
        """The controllers' names, for freezing."""
        return sorted(self._controllers)

    def add(self, controller: str, namespace: str, name: str) -> None:
        """Look at an object as soon as possible."""
        self._ready[controller, (namespace, name)] = None
        self._wake()

    def nudge(self) -> None:
        """Look again at once, after ``frozen`` changed."""
        self._wake()

    def look_at_everything(self) -> None:
        """Look at each object once, after objects came without changes."""
        for kind, item in tuple(self._store.everything()):
            self._notice(Change(ChangeType.ADDED, kind, item, None, self._store.version))

    def _notice(self, change: Change) -> None:
        for controller in self._controllers.values():
            for namespace, name in controller.concerns(change):
                self.add(controller.name, namespace, name)

    def next_due(self) -> float | None:
        """Return when (Unix seconds) the next work is due, None when there is none."""
        if any(work[0] not in self.frozen for work in self._ready):
            return self._now()
        self._drop_stale()
        return self._later[0][0] if self._later else None

    def step(self, most: int = 64) -> bool:
        """Do at most ``most`` pieces of due work; say whether more is due."""
        self._collect()
        for work in [work for work in self._ready if work[0] not in self.frozen][:most]:
            del self._ready[work]
            self._reconcile(work)
        self._collect()
        return any(work[0] not in self.frozen for work in self._ready)

    def _collect(self) -> None:
        self._drop_stale()
        while self._later and self._later[0][0] <= self._now():
            _, work = heapq.heappop(self._later)
            del self._due[work]
            self._ready[work] = None
            self._drop_stale()

    def _drop_stale(self) -> None:
        while self._later and self._due.get(self._later[0][1]) != self._later[0][0]:
            heapq.heappop(self._later)

    def _reconcile(self, work: Work) -> None:
        controller, (namespace, name) = work
        self._due.pop(work, None)
        try:
            again = self._controllers[controller].reconcile(namespace, name)
            self._failures.pop(work, None)
        except Refusal as refusal:
            again = self._retry(work)
            _log.info("%s %s/%s: %s, again in %.2f s", controller, namespace, name, refusal.message, again)
        except Exception:  # noqa: BLE001 -- one broken object may not stop the others
            again = self._retry(work)
            _log.exception("%s %s/%s failed, again in %.2f s", controller, namespace, name, again)
        if again is not None:
            due = self._now() + max(again, 0.001)
            self._due[work] = due
            heapq.heappush(self._later, (due, work))

    def _retry(self, work: Work) -> float:
        self._failures[work] = failures = self._failures.get(work, 0) + 1
        return float(min(_FIRST_RETRY * 2**failures, _LAST_RETRY))
