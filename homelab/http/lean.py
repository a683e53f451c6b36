"""The one import of httpx, without the command line httpx brings along.

``import httpx`` also imports ``httpx._main``, and with it click, rich and pygments, wherever
those are installed: 40 ms that no request needs. A None in ``sys.modules`` makes httpx take
the branch it has for their absence. Layer: http; imported by this folder's modules only.
"""

from __future__ import annotations

import logging
import sys

sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]

import httpx  # noqa: E402, TID253 -- this is its home, loaded by homelab.app when a client is first needed

# Their lines hold whole URLs and headers. What a person should know, our events and errors say.
for _library in ("httpx", "httpcore"):
    logging.getLogger(_library).setLevel(logging.CRITICAL + 1)

__all__ = ["httpx"]
