"""From an app to a registry: where it is, how it is reached, who asks. Layer: the registry package, top.

A host is the user's when their own file names it or ``docker login`` stored something for it; a repository
can name neither.
"""

from __future__ import annotations

from homelab.app import App
from homelab.http.port import Site
from homelab.registry.client import Access, Registry
from homelab.registry.credentials import credentials
from homelab.registry.image import Image


def knows(app: App, host: str) -> bool:
    """Say whether the user's own configuration names this registry."""
    return host in app.settings.registries or credentials(app.world.env, app.world.home, host) is not None


def registry_of(app: App, image: Image) -> Registry:
    """Return the registry of ``image``, with what the user's side says about it."""
    found = app.settings.registries.get(image.host)
    site = None
    if found is not None:
        site = Site(found.url or image.url, dial=found.dial, ca_file=found.ca_file)
    return Registry(image, Access(app.http, credentials(app.world.env, app.world.home, image.host), site))
