"""Reading a forge's list to its end, whatever it caps a page at. Layer: forge; uses the HTTP port it is handed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from homelab.errors import Unreachable
from homelab.http.port import JsonHttp, Params

Json = Mapping[str, Any]

#: Asked for; servers may give fewer without a word, so only an empty page is the end.
LIMIT = 100
#: Five times what any commit carries.
MAX_PAGES = 20


def rows(http: JsonHttp, path: str, params: Params, *, key: str = "", budget: float | None = None) -> Iterator[Json]:
    """Yield the objects of every page of ``path``; ``key`` names their list where the body is an object.

    Raises Unreachable where there are more than ``MAX_PAGES`` pages.
    """
    seen: set[object] = set()
    for page in range(1, MAX_PAGES + 1):
        body = http.get(path, params={**params, "page": page}, budget=budget)
        found = body.get(key) if key and isinstance(body, Mapping) else body
        items = [item for item in found if isinstance(item, Mapping)] if isinstance(found, list) else []
        new = [item for item in items if item.get("id") not in seen]
        if not new:
            # Some servers answer a page beyond the last with the last one.
            return
        seen |= {item.get("id") for item in new}
        yield from new
    raise Unreachable(
        f"{http.site.name} has more than {MAX_PAGES} pages of {path}",
        why="what was not read is not judged",
        fix=f"look at {http.site.url}",
    )
