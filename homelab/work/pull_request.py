"""Where a pull request of a pushed branch is opened. Pure but for what it is handed.

Layer: work domain.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from homelab.forge.kind import kind_of, request_page
from homelab.work.scene import Scene

_URL = re.compile(r"https?://[^\s'\"<>]+")
_OF_REQUEST = re.compile(r"/(?:compare|pulls?|merge_requests|-/merge_requests)/")


def address(scene: Scene, branch: str, said: Iterable[str]) -> str:
    """Return the URL the server printed for the pull request, or the forge's own, or ""."""
    words = tuple(said)
    printed: list[str] = [url for line in words for url in _URL.findall(line) if _OF_REQUEST.search(url)]
    if printed:
        return printed[-1].rstrip(".,")
    return request_page(scene.end.url, scene.plan.target_name, branch, kind=kind_of(scene.end.url, words))
