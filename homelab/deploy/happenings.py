"""The cluster's events, merged as a person reads them. Pure; layer: the deploy domain, above its model."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace

from homelab.deploy.model import Happening

#: The name of a pod that a ReplicaSet or a Job makes: its owner's and five random characters.
_OF_ONE_POD = re.compile(r"\b([a-z0-9][a-z0-9.-]*-[a-z0-9]+)-[bcdfghjklmnpqrstvwxz2456789]{5}\b")


def merged(events: Iterable[Happening], *, anywhere: bool = False) -> list[Happening]:
    """Return the same ones as one, oldest first: also those about pods that only their random names tell apart.

    ``anywhere``: the same about several objects counts as one too.
    """
    found: dict[tuple[str, ...], Happening] = {}
    for event in events:
        text = event.message if event.where.startswith("Pod ") else _OF_ONE_POD.sub(r"\1-*", event.message)
        text = _OF_ONE_POD.sub(r"\1-*", text) if anywhere else text
        key = (event.type, event.reason, text, "" if anywhere else event.where)
        known = found.get(key)
        if known is None:
            found[key] = replace(event, message=text)
            continue
        last = max(known.last or 0.0, event.last or 0.0) or None
        firsts = [stamp for stamp in (known.first, event.first) if stamp is not None]
        first = min(firsts, default=None)
        found[key] = replace(known, count=known.count + event.count, last=last, first=first)
    return sorted(found.values(), key=lambda event: event.last or 0.0)
