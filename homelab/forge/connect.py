"""From a remote to its forge, with the token bound to that host. Layer: forge; knows the app.

Only the user's file makes a forge known: which host, where its API is, where its token comes from.
"""

from __future__ import annotations

from homelab.app import App
from homelab.errors import TokenMissing
from homelab.forge.gitlab import GitLab
from homelab.forge.kind import api_of, kind_of
from homelab.forge.port import Forge
from homelab.forge.pulls import Pulls
from homelab.git.forge_host import forge_host, forge_repository
from homelab.git.port import RemoteUrl
from homelab.http.port import Site
from homelab.settings.model import CiServer


def connect(app: App, remote: RemoteUrl) -> Forge:
    """Return the remote's repository on its forge. Raises TokenMissing where forge or token are not configured."""
    host = forge_host(remote, app.settings.forges, app.settings.ci, app.world.env)
    forge = app.settings.forges.get(host or "")
    kind = (forge.kind if forge else None) or kind_of(remote, ())
    if forge is None or not kind or not (forge.token_env or forge.token_vault):
        raise _not_configured(app, host)
    site = Site(api_of(forge, kind), dial=forge.dial, ca_file=forge.ca_file, name=f"the forge {forge.host}")
    bound = CiServer(name=forge.host, kind=kind, url=site.url, token_env=forge.token_env, token_vault=forge.token_vault)
    http = app.http(site, app.ci_token(bound))
    repository = forge_repository(remote, host, app.settings.forges)
    return GitLab(http, repository) if kind == "gitlab" else Pulls(http, repository, kind)


def _not_configured(app: App, host: str | None) -> TokenMissing:
    if host is None:
        return TokenMissing(
            "the remote is no forge's that homelab knows",
            why="neither its URL nor the user's file names one",
            fix="git remote -v; homelab config show",
        )
    return TokenMissing(
        f"no token is configured for the forge {host}",
        why="its API is asked with a token bound to that host, and only so",
        fix=f'[forge."{host}"] kind = "forgejo", token_env = ["FORGEJO_TOKEN"] in {app.settings.user_file}',
    )
