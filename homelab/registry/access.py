"""From an app to a registry: where it is, how it is reached, who asks. Layer: the registry package, top.

A host is the user's when their own file names it or ``docker login`` stored something for it; a repository
can name neither.
"""

from __future__ import annotations

from homelab.app import App
from homelab.http.port import Site
from homelab.registry.client import Access, Registry
from homelab.registry.credentials import credentials
from homelab.registry.image import DOCKER_HUB, Image
from homelab.registry.reference import DEFAULT_REGISTRY
from homelab.settings.model import RegistryServer


def knows(app: App, host: str) -> bool:
    """Say whether the user's own configuration names this registry."""
    return _listed(app, host) is not None or credentials(app.world.env, app.world.home, host) is not None


def _listed(app: App, host: str) -> RegistryServer | None:
    """Return what the user's file says of a host; the default registry is listed by the name its images have."""
    listed = app.settings.registries
    return listed.get(host) or (listed.get(DEFAULT_REGISTRY) if host == DOCKER_HUB else None)


def registry_of(app: App, image: Image) -> Registry:
    """Return the registry of ``image``, with what the user's side says about it."""
    found = _listed(app, image.host)
    site = None
    if found is not None:
        site = Site(found.url or image.url, dial=found.dial, ca_file=found.ca_file)
    return Registry(image, Access(app.http, credentials(app.world.env, app.world.home, image.host), site))
