"""The published schemas of CI files, fetched seldom and without a token. Layer: ci; reads the app."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

from homelab.app import App
from homelab.errors import UsageError
from homelab.http.port import Site

#: Woodpecker's is part of its linter; Forgejo and Gitea read the format whose schema the schema store keeps.
PUBLISHED = {
    "woodpecker": (
        "https://raw.githubusercontent.com",
        "/woodpecker-ci/woodpecker/main/pipeline/frontend/yaml/linter/schema/schema.json",
    ),
    "actions": ("https://json.schemastore.org", "/github-workflow.json"),
}
#: Seconds a fetched schema serves.
FRESH = 7 * 86400


def published(app: App, kind: str) -> Any:
    """Return the schema of ``kind``: the kept one while it is fresh, else a new one. Raises Unreachable."""
    kept = app.world.state_home / "ci" / f"schema-{kind}.json"
    with suppress(OSError, ValueError):
        if 0 <= app.clock.now() - kept.stat().st_mtime < FRESH:
            return json.loads(kept.read_text())
    url, path = PUBLISHED[kind]
    schema = app.http(Site(url, name=f"the {kind} schema")).get(path)
    if not isinstance(schema, dict):
        raise UsageError(
            f"{url}{path} is no schema", why="it is not a JSON object", fix="homelab ci lint --schema FILE.json"
        )
    with suppress(OSError):
        kept.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        kept.write_text(json.dumps(schema))
    return schema
