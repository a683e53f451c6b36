"""The published schemas of CI files, fetched seldom and without a token. Layer: ci; reads the app.

No server that we speak to checks a file by call. Woodpecker publishes the schema of its own linter with
each release, so that of the server's own version is taken; Forgejo and Gitea read the format whose
schema the schema store keeps.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from homelab.app import App
from homelab.errors import CertificateRefused, HomelabError, Unreachable, UsageError
from homelab.events import Notice
from homelab.http.port import Site
from homelab.settings.model import SchemaSource
from homelab.spoken import duration
from homelab.whole_file import write_whole

_WOODPECKER = (
    "https://raw.githubusercontent.com/woodpecker-ci/woodpecker/{ref}/pipeline/frontend/yaml/linter/schema/schema.json"
)
_STORE = ("https://www.schemastore.org/github-workflow.json", "https://json.schemastore.org/github-workflow.json")
#: Seconds a fetched schema serves, and what finding one may take: a person waits.
FRESH, PATIENCE, VERSION_PATIENCE = 7 * 86400.0, 10.0, 3.0
_RELEASE = re.compile(r"v?(\d+\.\d+\.\d+)")


@dataclass(frozen=True, slots=True)
class Schema:
    """A schema, where it came from, and how old our copy is (seconds)."""

    value: Any
    source: str
    age: float = 0.0

    @property
    def said(self) -> str:
        """Name the source: a result is worth what it was checked against."""
        return self.source + (f", fetched {duration(self.age)} ago" if self.age >= 1 else "")


def published(app: App, kind: str) -> Schema:
    """Return the schema of ``kind``: the kept one while it is fresh, else a new one, else the kept one though old.

    Raises Unreachable where there is none to be had, with the command that works without a network.
    """
    source = app.settings.schemas.get(kind, SchemaSource(kind))
    kept = _Kept(app.world.state_home / "ci" / f"schema-{kind}.json", source.url or "")
    old = kept.read(app.clock.now())
    if old is not None and old.age < FRESH:
        return old
    try:
        found = _fetched(app, kind, source)
    except HomelabError as error:
        if old is None:
            raise
        app.emit(Notice(about="lint", text=f"{error.what}; the schema is {duration(old.age)} old"))
        return old
    kept.write(found)
    return found


class _Kept:
    """A fetched schema on disk, with the address it was asked for at."""

    def __init__(self, path: Path, wanted: str) -> None:
        self._path, self._wanted = path, wanted

    def read(self, now: float) -> Schema | None:
        """Return it with its age; None where there is none, or one of another address."""
        with suppress(OSError, ValueError, KeyError, TypeError):
            raw = json.loads(self._path.read_text())
            age = now - self._path.stat().st_mtime
            if raw["wanted"] == self._wanted and isinstance(raw["schema"], dict):
                return Schema(raw["schema"], str(raw["source"]), max(age, 0.0))
        return None

    def write(self, found: Schema) -> None:
        """Keep it; a disk that takes nothing costs another fetch."""
        record = {"wanted": self._wanted, "source": found.source, "schema": found.value}
        with suppress(OSError):
            write_whole(self._path, json.dumps(record))


def _fetched(app: App, kind: str, source: SchemaSource) -> Schema:
    """Fetch from the first address that answers."""
    urls = [source.url] if source.url else list(_published(app, kind))
    last: Unreachable | None = None
    for url in urls:
        parts = urlsplit(url)
        site = Site(f"{parts.scheme}://{parts.netloc}", source.dial, source.ca_file, name=f"the {kind} schema's host")
        try:
            value = app.http(site).get(parts.path or "/", budget=PATIENCE)
        except CertificateRefused:
            raise
        except Unreachable as error:
            last = error
            continue
        if isinstance(value, dict):
            return Schema(value, url)
        last = Unreachable(f"{url} is no schema", why="it is not a JSON object", fix="-")
    assert last is not None
    raise Unreachable(
        f"the schema of {kind} files cannot be fetched: {last.what}",
        why=last.why,
        fix=f"curl -Lo schema.json {urls[-1]}   (where there is a network), then: homelab ci lint --schema schema.json",
    )


def _published(app: App, kind: str) -> Iterator[str]:
    if kind != "woodpecker":
        yield from _STORE
        return
    if release := _release(app):
        yield _WOODPECKER.format(ref=f"v{release}")
    yield _WOODPECKER.format(ref="main")


def _release(app: App) -> str:
    """Return the release of the only Woodpecker there is; "" where there are several, or it does not tell in time."""
    servers = [server for server in app.settings.ci.values() if server.kind == "woodpecker"]
    if len(servers) != 1:
        return ""
    site = Site(servers[0].url, servers[0].dial, servers[0].ca_file, name="Woodpecker")
    try:
        found = _RELEASE.fullmatch(str(app.http(site).get("/version", budget=VERSION_PATIENCE).get("version")))
    except (HomelabError, AttributeError):
        return ""
    return found[1] if found else ""


def read_schema(path: Path) -> Schema:
    """Read a schema from a file. Raises UsageError."""
    try:
        return Schema(json.loads(path.read_text()), str(path))
    except (OSError, ValueError) as error:
        raise UsageError(
            f"{path} is no schema", why="it cannot be read as JSON", fix="homelab ci lint --schema FILE.json"
        ) from error
