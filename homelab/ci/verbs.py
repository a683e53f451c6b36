"""``homelab ci …``: the command line of the ci domain. Layer: ci, top; loads no adapter by itself."""

from __future__ import annotations

from typing import Any

import click

from homelab.app import App
from homelab.ci.asked import EVENTS, Asked, request
from homelab.ci.connect import connect
from homelab.ci.request import LOG_LINES
from homelab.ci.status import status
from homelab.ci.watch import watch
from homelab.result import Result
from homelab.tier import Tier
from homelab.verb import SECONDS, F, VerbGroup

ci = VerbGroup("ci", help="What CI says about a commit: all its runs, one verdict.")


def _which(function: F) -> F:
    """The words that choose commit, runs and server, the same for every verb."""
    for option in reversed(
        (
            click.argument("rev", default="HEAD"),
            click.option("--event", type=click.Choice(EVENTS), help="Runs made by this event (default: push)."),
            click.option("--branch", help="Only runs of this branch (default: the target's, else the commit's own)."),
            click.option("--pipeline", "number", type=click.IntRange(min=1), help="Only the run of this number."),
            click.option("--ci", "server", metavar="NAME", help="The configured CI server to ask."),
            click.option("--remote", help="The git remote whose repository is meant."),
        )
    ):
        function = option(function)
    return function


_log_lines = click.option(
    "--log-lines",
    type=click.IntRange(min=0),
    default=LOG_LINES,
    show_default=True,
    help="Lines of log shown of each failed workflow.",
)


@ci.verb("status", tier=Tier.READ)
@_which
@_log_lines
def status_verb(app: App, **words: Any) -> Result:
    """Say how the commit's runs stand now: 0 green, 1 red, 6 blocked, 7 none, 8 still going.

    \b
    homelab ci status
    homelab ci status v1.4 --event tag
    """  # noqa: D301 -- \b is click's mark
    repository = connect(app, server=words["server"], remote=words["remote"])
    asked = request(app, Asked(**words), lambda: repository.facts().default_branch)
    return status(repository, asked, repository=app.repository, clock=app.clock)


@ci.verb("watch", tier=Tier.READ)
@_which
@_log_lines
@click.option("--timeout", type=SECONDS, help="End with 8 after this long, naming the command that continues.")
@click.option("--appear-timeout", type=SECONDS, help="Wait this long for a first run before answering 7.")
@click.option("--wait-approval", is_flag=True, help="Stay when a run is blocked, until someone approves it.")
@click.option("--fail-fast", is_flag=True, help="End at the first failed workflow, while others still run.")
def watch_verb(app: App, **words: Any) -> Result:
    """Watch the commit's runs to their verdict; on red, show what failed and the lines before it.

    \b
    homelab ci watch
    homelab ci watch --event any --timeout 10m
    """  # noqa: D301 -- \b is click's mark
    repository = connect(app, server=words["server"], remote=words["remote"])
    asked = request(app, Asked(**words), lambda: repository.facts().default_branch)
    return watch(repository, asked, repository=app.repository, clock=app.clock, emit=app.emit)
