"""Opens a pull request through the forge's API, where the user's file names a token for it.

Layer: work domain; speaks through the app's HTTP client.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from homelab.app import App
from homelab.errors import HttpStatus, TokenMissing
from homelab.git.forge_host import forge_host, forge_repository
from homelab.git.port import RemoteUrl
from homelab.http.port import JsonHttp, Site
from homelab.settings.model import CiServer, Forge
from homelab.work.pull_request import kind_of

_EXISTS = (409, 422)


@dataclass(frozen=True, slots=True)
class Request:
    """A pull request to be: of ``branch`` into ``target``."""

    branch: str
    target: str
    title: str
    body: str = ""


def open_request(app: App, remote: RemoteUrl, request: Request) -> str:
    """Open the request, or find the one that is open; return its page.

    Raises TokenMissing where forge or token are not configured, and what HTTP raises.
    """
    host = forge_host(remote, app.settings.forges, app.settings.ci, app.world.env)
    forge = app.settings.forges.get(host or "")
    kind = (forge.kind if forge else None) or kind_of(remote, ())
    if forge is None or not kind or not (forge.token_env or forge.token_vault):
        raise _not_configured(app, host or "<git host>")
    site = Site(_api(forge, kind), dial=forge.dial, ca_file=forge.ca_file, name=f"the forge {forge.host}")
    server = CiServer(
        name=forge.host, kind=kind, url=site.url, token_env=forge.token_env, token_vault=forge.token_vault
    )
    http = app.http(site, app.ci_token(server))
    repository = forge_repository(remote, host, app.settings.forges)
    return _gitlab(http, repository, request) if kind == "gitlab" else _pulls(http, repository, request, kind)


def _api(forge: Forge, kind: str) -> str:
    if forge.api:
        return forge.api
    root = f"https://{forge.host}/{forge.base_path.strip('/')}".rstrip("/")
    if kind == "github":
        return "https://api.github.com" if forge.host == "github.com" else f"{root}/api/v3"
    return f"{root}/api/{'v4' if kind == 'gitlab' else 'v1'}"


def _pulls(http: JsonHttp, repository: RemoteUrl, request: Request, kind: str) -> str:
    """GitHub, Gitea and Forgejo: ``POST /repos/{owner}/{name}/pulls``."""
    path = f"/repos/{quote(repository.slug)}/pulls"
    words = {"base": request.target, "head": request.branch, "title": request.title, "body": request.body}
    try:
        return str(http.send("POST", path, json=words).json()["html_url"])
    except HttpStatus as error:
        if error.status not in _EXISTS:
            raise
        found = _open_pull(http, path, repository, request, kind)
        if found is None:
            raise
        return str(found["html_url"])


def _open_pull(http: JsonHttp, path: str, repository: RemoteUrl, request: Request, kind: str) -> dict[str, Any] | None:
    params = {"state": "open", "base": request.target}
    if kind == "github":
        params["head"] = f"{(repository.owner or '').split('/')[0]}:{request.branch}"
    pulls: list[dict[str, Any]] = http.get(path, params=params)
    return next((pull for pull in pulls if pull["head"]["ref"] == request.branch), None)


def _gitlab(http: JsonHttp, repository: RemoteUrl, request: Request) -> str:
    """GitLab: ``POST /projects/{path}/merge_requests``."""
    path = f"/projects/{quote(repository.slug, safe='')}/merge_requests"
    words = {"source_branch": request.branch, "target_branch": request.target, "title": request.title}
    try:
        return str(http.send("POST", path, json={**words, "description": request.body}).json()["web_url"])
    except HttpStatus as error:
        if error.status not in _EXISTS:
            raise
        params = {"state": "opened", "source_branch": request.branch, "target_branch": request.target}
        found = http.get(path, params=params)
        if not found:
            raise
        return str(found[0]["web_url"])


def _not_configured(app: App, host: str) -> TokenMissing:
    return TokenMissing(
        f"no token is configured for the forge {host}",
        why="a pull request is opened through its API, with a token bound to that host",
        fix=f'[forge."{host}"] kind = "forgejo", token_env = ["FORGEJO_TOKEN"] in {app.settings.user_file}',
    )
