"""Blobs and manifests in a folder, addressed by what they are. Layer: state of the lab registry.

``blobs/<hex>`` holds content, ``uploads/<id>`` what is being sent,
``repositories/<path>/_manifests/<digest or tag>`` media type and digest.
"""

from __future__ import annotations

import json
import re
import uuid
from dataclasses import dataclass
from pathlib import Path

from homelab.lab.registry.digest import digest_of
from homelab.lab.registry.problems import blob_unknown, digest_invalid, manifest_unknown, upload_unknown
from homelab.whole_file import write_whole

_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Manifest:
    """A stored manifest."""

    media_type: str
    digest: str
    content: bytes


class Storage:
    """Everything one registry keeps."""

    def __init__(self, folder: Path) -> None:
        """Keep it under ``folder``."""
        self._blobs = folder / "blobs"
        self._uploads = folder / "uploads"
        self._repositories = folder / "repositories"
        for path in (self._blobs, self._uploads, self._repositories):
            path.mkdir(parents=True, exist_ok=True)

    # -- blobs

    def has_blob(self, digest: str) -> bool:
        """Say whether the content is there."""
        return _DIGEST.fullmatch(digest) is not None and self._blob(digest).exists()

    def blob(self, digest: str) -> bytes:
        """Return the content; refuses with BLOB_UNKNOWN."""
        if not self.has_blob(digest):
            raise blob_unknown(digest)
        return self._blob(digest).read_bytes()

    def delete_blob(self, digest: str) -> None:
        """Forget the content; refuses with BLOB_UNKNOWN."""
        if not self.has_blob(digest):
            raise blob_unknown(digest)
        self._blob(digest).unlink()

    def put_blob(self, content: bytes, digest: str) -> None:
        """Keep ``content``; refuses with DIGEST_INVALID when it is something else."""
        if digest_of(content) != digest:
            raise digest_invalid(digest)
        write_whole(self._blob(digest), content)

    def _blob(self, digest: str) -> Path:
        return self._blobs / digest.removeprefix("sha256:")

    # -- uploads

    def start_upload(self) -> str:
        """Return the id of a new, empty upload."""
        name = uuid.uuid4().hex
        (self._uploads / name).touch()
        return name

    def upload_size(self, name: str) -> int:
        """Return how many bytes have come; refuses with BLOB_UPLOAD_UNKNOWN."""
        return self._upload(name).stat().st_size

    def append(self, name: str, content: bytes) -> int:
        """Add bytes to an upload and return how many it has."""
        with self._upload(name).open("ab") as file:
            file.write(content)
        return self.upload_size(name)

    def finish_upload(self, name: str, digest: str) -> None:
        """Make an upload a blob; refuses with DIGEST_INVALID, which ends the upload too."""
        path = self._upload(name)
        content = path.read_bytes()
        path.unlink()
        self.put_blob(content, digest)

    def drop_upload(self, name: str) -> None:
        """Forget an upload."""
        self._upload(name).unlink()

    def _upload(self, name: str) -> Path:
        path = self._uploads / name
        if not re.fullmatch(r"[0-9a-f]{32}", name) or not path.exists():
            raise upload_unknown(name)
        return path

    # -- manifests

    def manifest(self, repository: str, selector: str) -> Manifest:
        """Return the manifest of a tag or digest; refuses with MANIFEST_UNKNOWN."""
        path = self._manifests(repository) / selector
        if not path.is_file():
            raise manifest_unknown(repository, selector)
        kept = json.loads(path.read_text())
        return Manifest(kept["media_type"], kept["digest"], self.blob(kept["digest"]))

    def put_manifest(self, repository: str, selector: str, media_type: str, content: bytes) -> str:
        """Keep a manifest under its digest, and under a tag when ``selector`` is one; return the digest."""
        digest = digest_of(content)
        if selector.startswith("sha256:") and selector != digest:
            raise digest_invalid(selector)
        write_whole(self._blob(digest), content)
        kept = json.dumps({"media_type": media_type, "digest": digest}).encode()
        for name in {digest, selector}:
            write_whole(self._manifests(repository) / name, kept)
        return digest

    def delete_manifest(self, repository: str, selector: str) -> None:
        """Forget a tag, or a digest with every tag on it; refuses with MANIFEST_UNKNOWN."""
        kept = self.manifest(repository, selector)
        folder = self._manifests(repository)
        (folder / selector).unlink()
        if selector != kept.digest:
            return
        for path in folder.iterdir():
            if json.loads(path.read_text())["digest"] == kept.digest:
                path.unlink()

    def tags(self, repository: str) -> list[str] | None:
        """Return the tags in order, None when there is no such repository."""
        folder = self._manifests(repository)
        if not folder.exists():
            return None
        return sorted(path.name for path in folder.iterdir() if ":" not in path.name and not path.name.startswith("."))

    def repositories(self) -> list[str]:
        """Return the names of all repositories in order."""
        found = self._repositories.rglob("_manifests")
        return sorted(str(path.parent.relative_to(self._repositories)) for path in found)

    def _manifests(self, repository: str) -> Path:
        return self._repositories / repository / "_manifests"
