"""The cluster's objects in one file: a restart goes on where the last run stopped. Layer: edge of the lab cluster.

The file is written whole, a moment after a change and when the server stops. What came after it stands in a journal
beside it, a line a write, there before the write is answered: a killed server loses nothing it acknowledged.
"""

from __future__ import annotations

import asyncio
import json
import logging
from pathlib import Path

from homelab.lab.kubernetes.cluster import Cluster
from homelab.lab.kubernetes.kinds import of_object
from homelab.lab.kubernetes.node.images import Image
from homelab.lab.kubernetes.objects import Object, name_of, namespace_of
from homelab.lab.kubernetes.store import Change, ChangeType
from homelab.whole_file import write_whole

QUIET = 1.0
_log = logging.getLogger(__name__)


class Snapshots:
    """Keeps one file up to date with one cluster."""

    def __init__(self, cluster: Cluster, path: Path) -> None:
        """Write to ``path``; nothing is read or written yet."""
        self._cluster = cluster
        self._path = path
        self._journal = path.with_suffix(".journal")
        self._changed = asyncio.Event()

    def load(self) -> bool:
        """Put back what the last run left; say whether there was anything."""
        kept = self._kept()
        if kept is None:
            return False
        self._replay(kept)
        for item in kept["objects"]:
            kind = of_object(item["apiVersion"], item["kind"])
            if kind:
                self._cluster.store.restore(kind, item)
        self._cluster.store.start_at(int(kept["version"]))
        for entry in kept["images"]:
            node, reference = entry.pop("node"), entry.pop("reference")
            self._cluster.kubelet.pulled[node, reference] = Image(**entry)
        return True

    def _kept(self) -> Object | None:
        """Return the file as it is; an empty one where only the journal was begun; None where there is neither."""
        if not self._path.exists():
            return {"version": 1, "objects": [], "images": []} if self._journal.exists() else None
        try:
            kept: Object = json.loads(self._path.read_text())
        except ValueError:
            aside = self._path.with_suffix(".broken")
            self._path.replace(aside)
            self._journal.unlink(missing_ok=True)
            _log.warning("%s is no JSON: put aside as %s, starting empty", self._path, aside.name)
            return None
        return kept

    def _replay(self, kept: Object) -> None:
        """Add to ``kept`` what the journal says was written after it."""
        objects = {_identity(item): item for item in kept["objects"]}
        for line in self._journal.read_text().splitlines() if self._journal.exists() else ():
            try:
                entry = json.loads(line)
            except ValueError:
                break  # the last line of a server that was killed while writing it: never answered
            if entry["version"] <= int(kept["version"]):
                continue
            kept["version"] = entry["version"]
            objects.pop(_identity(entry["item"]), None)
            if entry["type"] != ChangeType.DELETED:
                objects[_identity(entry["item"])] = entry["item"]
        kept["objects"] = list(objects.values())

    def record(self) -> None:
        """Write every change from now on to the journal, before anybody hears that it was made."""
        self._cluster.store.subscribe(self._note)

    def _note(self, change: Change) -> None:
        entry = {"version": change.version, "type": change.type, "item": change.item}
        with self._journal.open("a") as journal:
            journal.write(json.dumps(entry, separators=(",", ":")) + "\n")

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
        write_whole(self._path, json.dumps(body, separators=(",", ":")))
        self._journal.unlink(missing_ok=True)


def _identity(item: Object) -> tuple[str, str, str, str]:
    return item["apiVersion"], item["kind"], namespace_of(item), name_of(item)


def _image(image: Image) -> Object:
    return {"digest": image.digest, "size": image.size, "labels": dict(image.labels)}
