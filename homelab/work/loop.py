"""The rest of the loop as landing knows it: CI of the landed commit, then its rollout.

The one place where the work domain uses ``ci`` and ``deploy``.
Layer: work domain, composition.
"""

from __future__ import annotations

from dataclasses import replace

from homelab.app import App
from homelab.ci.choice import PUSH, Choice
from homelab.ci.connect import bringer, connect_all, witness
from homelab.ci.request import CiRequest
from homelab.ci.watch import watch
from homelab.deploy.connect import request_for
from homelab.deploy.request import DeployResult
from homelab.deploy.wait import wait
from homelab.errors import UsageError
from homelab.git.forge_host import forge_host
from homelab.result import Result
from homelab.settings.choose import ci_servers
from homelab.work.contained import rollout, taken_back
from homelab.work.follow import LandedCommit, Waits


def waits(app: App) -> Waits:
    """Return the waits after landing, connected to the configured servers when they begin."""
    return Waits(
        ci=lambda landed: _ci(app, landed),
        deploy=lambda landed: _deploy(app, landed),
        blind=lambda remote: _blind(app, remote),
        deploys=lambda: bool(app.settings.repository.deploy),
    )


def _ci(app: App, landed: LandedCommit) -> Result:
    times = app.settings.timeouts
    request = CiRequest(
        oid=landed.oid,
        choice=Choice(event=app.settings.repository.ci_event or PUSH, target=landed.target, landed=True),
        base=landed.was,
        remote=landed.remote,
        timeout=times.ci,
        appear_timeout=times.ci_appear,
    )
    servers = connect_all(app, remote=landed.remote)
    return watch(
        servers,
        request,
        repository=app.repository,
        clock=app.clock,
        emit=app.emit,
        bring=bringer(app, landed.remote),
        witness=witness(app, landed.remote),
    )


def _deploy(app: App, landed: LandedCommit) -> Result | None:
    request = request_for(app, landed.oid)
    if request is None:
        return None

    def ask(newer_ok: bool) -> DeployResult:  # noqa: FBT001 -- one question, two answers
        return wait(app.cluster, replace(request, newer_ok=newer_ok), clock=app.clock, emit=app.emit)

    return rollout(landed.oid, ask, taken_back(app.repository, app.git, landed.oid, landed.was), app.emit)


def _blind(app: App, remote: str) -> str:
    """Say why no CI server is known for the remote, without asking any server."""
    url = app.repository.remote(remote).push
    try:
        host = forge_host(url, app.settings.forges, app.settings.ci, app.world.env)
        ci_servers(app.settings, host, None)
    except UsageError as error:
        return error.what
    return ""
