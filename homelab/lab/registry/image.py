"""A tiny real OCI image: one layer of a folder's files, a configuration with labels, a manifest. Layer: pure.

Formats from the OCI image specification 1.1. The same folder and labels give the same bytes, and so the same digest.
"""

from __future__ import annotations

import gzip
import io
import json
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from homelab.lab.registry.digest import digest_of

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
REVISION = "org.opencontainers.image.revision"

_SKIPPED = frozenset({".git", "__pycache__", ".venv", "node_modules"})


@dataclass(frozen=True, slots=True)
class BuiltImage:
    """An image's three parts, as bytes."""

    manifest: bytes
    config: bytes
    layer: bytes

    @property
    def digest(self) -> str:
        """The manifest's digest: what names the image."""
        return digest_of(self.manifest)


def build(folder: Path, labels: Mapping[str, str]) -> BuiltImage:
    """Return an image of the files in ``folder`` (under ``/app``), with ``labels``."""
    archive = _archive(folder)
    layer = gzip.compress(archive, mtime=0)
    config = _json(
        {
            "architecture": "amd64",
            "os": "linux",
            "config": {"WorkingDir": "/app", "Labels": dict(sorted(labels.items()))},
            "rootfs": {"type": "layers", "diff_ids": [digest_of(archive)]},
        }
    )
    manifest = _json(
        {
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": {"mediaType": CONFIG, "digest": digest_of(config), "size": len(config)},
            "layers": [{"mediaType": LAYER, "digest": digest_of(layer), "size": len(layer)}],
            "annotations": {REVISION: labels[REVISION]} if REVISION in labels else {},
        }
    )
    return BuiltImage(manifest, config, layer)


def _json(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":"), sort_keys=True).encode()


def _archive(folder: Path) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for path in sorted(folder.rglob("*")):
            inside = path.relative_to(folder)
            if path.is_file() and not path.is_symlink() and not _SKIPPED.intersection(inside.parts):
                content = path.read_bytes()
                entry = tarfile.TarInfo(f"app/{inside.as_posix()}")
                entry.size = len(content)
                entry.mode = 0o755 if path.stat().st_mode & 0o100 else 0o644
                archive.addfile(entry, io.BytesIO(content))
    return out.getvalue()
