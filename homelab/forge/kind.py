"""Which kind of forge stands behind a URL, and where its API and its pages are. Pure. Layer: forge."""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import quote

from homelab.git.port import RemoteUrl
from homelab.settings.model import Forge

_KNOWN = {"github.com": "github", "gitlab.com": "gitlab", "codeberg.org": "forgejo"}
#: How the forges' own words at a push begin.
_SIGNS = (
    ("gitlab", r"GitLab:"),
    ("github", r"GH0\d\d"),
    ("forgejo", r"(?:Gitea|Forgejo): |Not allowed to push to protected branch"),
)


def kind_of(url: RemoteUrl, said: Iterable[str]) -> str:
    """Return which forge this is by its host or its own words; "" when neither says."""
    if url.host in _KNOWN:
        return _KNOWN[url.host]
    words = "\n".join(said)
    return next((kind for kind, pattern in _SIGNS if re.search(pattern, words)), "")


def api_of(forge: Forge, kind: str) -> str:
    """Return the base URL of the forge's API: the configured one, else where its kind has it."""
    if forge.api:
        return forge.api
    root = f"https://{forge.host}/{forge.base_path.strip('/')}".rstrip("/")
    if kind == "github":
        return "https://api.github.com" if forge.host == "github.com" else f"{root}/api/v3"
    return f"{root}/api/{'v4' if kind == 'gitlab' else 'v1'}"


def request_page(url: RemoteUrl, target: str, branch: str, *, kind: str, base: str = "") -> str:
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
