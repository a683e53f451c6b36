"""What ``deploy wait`` asks registries with: the app's own way to them, quiet and with a short budget.

Layer: the deploy domain, just below the verbs.
"""

from __future__ import annotations

import threading

from homelab.app import App
from homelab.deploy.digests import ASK_SECONDS, Digests
from homelab.registry.access import knows, registry_of
from homelab.registry.client import Registry
from homelab.registry.image import Image
from homelab.registry.manifest import Manifest


class AppAsker:
    """Implements :class:`~homelab.deploy.digests.Asker`. What goes wrong is one sentence, so retries are not told."""

    def __init__(self, app: App) -> None:
        """Ask nothing yet."""
        self._app = app
        self._hurried: App | None = None
        self._registries: dict[tuple[str, str], tuple[Registry, threading.Lock]] = {}

    def knows(self, host: str) -> bool:
        """Say whether the user's own configuration names this registry."""
        return knows(self._app, host)

    def ready(self, image: Image) -> None:
        """Load what asking needs; the caller's thread has it to itself."""
        if self._hurried is None:
            self._hurried = self._app.within(ASK_SECONDS / 2, quiet=True)
        if (image.host, image.path) not in self._registries:
            self._registries[image.host, image.path] = registry_of(self._hurried, image), threading.Lock()

    def ask(self, image: Image) -> Manifest | None:
        """Return the manifest, None where there is none. Raises HomelabError."""
        registry, alone = self._registries[image.host, image.path]
        with alone:
            return registry.manifest(image.reference)


def digests(app: App, *, asking: bool = True) -> Digests | None:
    """Return what asks registries during a wait; None where that is not wanted."""
    return Digests(AppAsker(app)) if asking else None
