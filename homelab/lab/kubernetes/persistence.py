"""The cluster's objects in one file: a restart goes on where the last run stopped. Layer: edge of the lab cluster.

The file is written whole, a moment after a change and when the server stops. Leaving it out loses the objects, no more.
"""

from __future__ import annotations

import asyncio
import json
import logging
from pathlib import Path

from homelab.lab.kubernetes.cluster import Cluster
from homelab.lab.kubernetes.kinds import of_object
from homelab.lab.kubernetes.node.images import Image
from homelab.lab.kubernetes.objects import Object

QUIET = 1.0
_log = logging.getLogger(__name__)


class Snapshots:
    """Keeps one file up to date with one cluster."""

    def __init__(self, cluster: Cluster, path: Path) -> None:
        """Write to ``path``; nothing is read or written yet."""
        self._cluster = cluster
        self._path = path
        self._changed = asyncio.Event()

    def load(self) -> bool:
        """Put back what the last run left; say whether there was anything."""
        if not self._path.exists():
            return False
        try:
            kept = json.loads(self._path.read_text())
        except ValueError:
            aside = self._path.with_suffix(".broken")
            self._path.replace(aside)
            _log.warning("%s is no JSON: put aside as %s, starting empty", self._path, aside.name)
            return False
        for item in kept["objects"]:
            kind = of_object(item["apiVersion"], item["kind"])
            if kind:
                self._cluster.store.restore(kind, item)
        self._cluster.store.start_at(int(kept["version"]))
        for entry in kept["images"]:
            node, reference = entry.pop("node"), entry.pop("reference")
            self._cluster.kubelet.pulled[node, reference] = Image(**entry)
        return True

    async def run(self) -> None:
        """Write after changes until cancelled, and once more then."""
        unsubscribe = self._cluster.store.subscribe(lambda _: self._changed.set())
        try:
            while True:
                await self._changed.wait()
                await asyncio.sleep(QUIET)
                self._changed.clear()
                self.write()
        finally:
            unsubscribe()
            self.write()

    def write(self) -> None:
        """Write the file, all at once."""
        images = [
            {"node": node, "reference": reference, **_image(image)}
            for (node, reference), image in self._cluster.kubelet.pulled.items()
        ]
        objects = [item for _, item in self._cluster.store.everything()]
        body = {"version": self._cluster.store.version, "objects": objects, "images": images}
        scratch = self._path.with_suffix(".new")
        scratch.write_text(json.dumps(body, separators=(",", ":")))
        scratch.replace(self._path)


def _image(image: Image) -> Object:
    return {"digest": image.digest, "size": image.size, "labels": dict(image.labels)}
