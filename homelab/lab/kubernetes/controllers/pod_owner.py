"""What every controller of pods does: hear of them, make and remove them, write its status. Layer: controller."""

from __future__ import annotations

from collections.abc import Iterable

from homelab.lab.kubernetes.api import Api
from homelab.lab.kubernetes.controllers.loop import Name
from homelab.lab.kubernetes.controllers.pods import pods_of
from homelab.lab.kubernetes.kinds import POD, Kind
from homelab.lab.kubernetes.objects import Object, controller_of, copy, name_of, namespace_of
from homelab.lab.kubernetes.recorder import Recorder
from homelab.lab.kubernetes.store import Change


class PodOwner:
    """The pods of the objects of one kind."""

    def __init__(self, api: Api, kind: Kind) -> None:
        """Read and write through ``api``; events come from the kind's own controller."""
        self._api, self._kind = api, kind
        self.events = Recorder(api.store, f"{kind.singular}-controller")

    def concerns(self, change: Change) -> Iterable[Name]:
        """Name the object that changed, and the owner of a pod that did."""
        if change.kind == self._kind:
            return [(namespace_of(change.item), name_of(change.item))]
        if change.kind == POD and (owner := controller_of(change.item)) and owner["kind"] == self._kind.kind:
            return [(namespace_of(change.item), owner["name"])]
        return []

    def pods(self, item: Object) -> list[Object]:
        """Return the pods of an object, by name."""
        return pods_of(self._api.store, item)

    def make(self, item: Object, pod: Object, *, said: str = "Created pod: {}") -> Object:
        """Make a pod and record it; ``said`` gets the pod's name. Raises what the server refuses with."""
        made = self._api.create(POD, namespace_of(item), pod)
        self.events.normal(item, "SuccessfulCreate", said.format(name_of(made)))
        return made

    def remove(self, item: Object, pod: Object, *, said: str = "Deleted pod: {}") -> None:
        """Delete a pod and record it."""
        self._api.delete(POD, namespace_of(pod), name_of(pod))
        self.events.normal(item, "SuccessfulDelete", said.format(name_of(pod)))

    def write_status(self, item: Object, status: Object) -> None:
        """Write an object's status, whatever else changed in it meanwhile."""
        changed = copy(item)
        changed["status"] = status
        changed["metadata"].pop("resourceVersion")
        self._api.replace(self._kind, namespace_of(item), name_of(item), changed, part="status")
