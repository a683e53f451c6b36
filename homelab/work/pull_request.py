"""Where a pull request of a pushed branch is opened. Pure but for what it is handed.

Layer: work domain.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import quote

from homelab.git.port import RemoteUrl
from homelab.work.scene import Scene

_KNOWN = {"github.com": "github", "gitlab.com": "gitlab", "codeberg.org": "forgejo"}
_URL = re.compile(r"https?://[^\s'\"<>]+")
_OF_REQUEST = re.compile(r"/(?:compare|pulls?|merge_requests|-/merge_requests)/")


def address(scene: Scene, branch: str, said: Iterable[str]) -> str:
    """Return the URL the server printed for the pull request, or the forge's own, or ""."""
    words = tuple(said)
    printed: list[str] = [url for line in words for url in _URL.findall(line) if _OF_REQUEST.search(url)]
    if printed:
        return printed[-1].rstrip(".,")
    return compose(scene.end.url, scene.plan.target_name, branch, kind=kind_of(scene.end.url, words))


def kind_of(url: RemoteUrl, said: Iterable[str]) -> str:
    """Return which forge this is by its host or its own words; "" when neither says."""
    if url.host in _KNOWN:
        return _KNOWN[url.host]
    words = "\n".join(said)
    signs = (
        ("gitlab", r"GitLab:"),
        ("github", r"GH0\d\d"),
        ("forgejo", r"(?:Gitea|Forgejo): |Not allowed to push to protected branch"),
    )
    return next((kind for kind, pattern in signs if re.search(pattern, words)), "")


def compose(url: RemoteUrl, target: str, branch: str, *, kind: str, base: str = "") -> str:
    """Return the page that opens a request of ``branch`` into ``target``, or "" for an unknown forge."""
    if not url.host or not url.owner or url.plain_server:
        return ""
    host = f"[{url.host}]" if ":" in url.host else url.host
    port = f":{url.port}" if url.kind in {"https", "http"} and url.port else ""
    site = (base or f"{'http' if url.kind == 'http' else 'https'}://{host}{port}").rstrip("/")
    page = f"{site}/{quote(url.slug)}"
    into, of = quote(target, safe=""), quote(branch, safe="")
    if kind == "gitlab":
        query = f"merge_request%5Bsource_branch%5D={of}&merge_request%5Btarget_branch%5D={into}"
        return f"{page}/-/merge_requests/new?{query}"
    if kind == "github":
        return f"{page}/compare/{quote(target)}...{quote(branch)}?expand=1"
    return f"{page}/compare/{quote(target)}...{quote(branch)}" if kind in {"forgejo", "gitea"} else ""
