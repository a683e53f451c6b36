"""From ``ci wait``'s words to an image and its registry. Layer: ci; reads the app's settings and repository."""

from __future__ import annotations

import shlex

from homelab.app import App
from homelab.ci.asked import commit_of
from homelab.ci.image import ImageResult, expand, wait_image
from homelab.errors import UsageError
from homelab.registry.access import registry_of
from homelab.registry.image import Image


def wait(app: App, rev: str, pattern: str | None, *, timeout: float) -> ImageResult:
    """Wait for the image of ``rev``. Raises UsageError where no image is named."""
    pattern = pattern or app.settings.repository.image
    if not pattern:
        raise UsageError(
            "no image is named",
            why="neither --image nor image in .homelab.toml says where CI pushes",
            fix="homelab ci wait --image registry.example/team/app:{sha12}",
        )
    oid = commit_of(app.repository, rev)
    image = Image.parse(expand(pattern, oid))
    registry = registry_of(app, image)
    again = shlex.join(["homelab", "ci", "wait", oid[:12], "--image", pattern, "--timeout", f"{timeout:g}s"])
    return wait_image(image, registry, timeout=timeout, again=again, clock=app.clock, emit=app.emit)
