"""``homelab ci …``: the command line of the ci domain. Layer: ci, top; loads no adapter by itself."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from homelab.app import App
from homelab.ci.request import EVENTS, LOG_LINES, STATES
from homelab.result import Result
from homelab.tier import Tier
from homelab.verb import SECONDS, F, VerbGroup

if TYPE_CHECKING:
    from homelab.ci.asked import Asking

ci = VerbGroup("ci", help="What CI says about a commit: all its runs, one verdict.")

_server = click.option("--ci", "server", metavar="NAME", help="Only this configured CI server.")
_remote = click.option("--remote", help="The git remote whose repository is meant.")
_event = click.option("--event", type=click.Choice(EVENTS), help="Runs made by this event (default: push).")
_branch = click.option("--branch", help="Only runs of this branch (default: the target's, else the commit's own).")
_number = click.option("--pipeline", "number", type=click.IntRange(min=1), help="Only the run of this number.")
_timeout = click.option(
    "--timeout", type=SECONDS, help="End with 8 after this long, naming the command that continues."
)
_log_lines = click.option(
    "--log-lines",
    type=click.IntRange(min=0),
    default=LOG_LINES,
    show_default=True,
    help="Lines of log shown of each failed workflow.",
)


def _which(function: F) -> F:
    """The words that choose commit, runs and server, the same for every verb."""
    for option in (_remote, _server, _number, _branch, _event, click.argument("rev", default="HEAD")):
        function = option(function)
    return function


def _asking(app: App, **words: Any) -> Asking:
    """Take up what the command line said."""
    from homelab.ci.asked import Asked, Asking

    return Asking(app, Asked(**words))


@ci.verb("list", tier=Tier.READ)
@click.option("--limit", type=click.IntRange(1, 500), default=20, show_default=True, help="How many runs.")
@click.option("--event", type=click.Choice(EVENTS), help="Only runs made by this event.")
@click.option("--branch", help="Only runs of this branch.")
@click.option("--state", type=click.Choice(STATES), help="Only runs in this state.")
@_server
@_remote
def list_verb(app: App, **words: Any) -> Result:
    """List recent runs of the repository, newest first, whatever their commit."""
    from homelab.ci.connect import witness
    from homelab.ci.recent import Wanted, recent

    asking = _asking(app, server=words.pop("server"), remote=words.pop("remote"))
    wanted = Wanted.read(words["event"], words["branch"], words["state"])
    forge = witness(app, asking.remote)
    return recent(asking.servers, words["limit"], wanted, clock=app.clock, emit=app.emit, witness=forge)


@ci.verb("status", tier=Tier.READ)
@_which
@_log_lines
def status_verb(app: App, **words: Any) -> Result:
    """Say how the commit's runs stand now: 0 green, 1 red, 6 blocked, 7 none, 8 still going.

    \b
    homelab ci status
    homelab ci status v1.4 --event tag
    """  # noqa: D301 -- \b is click's mark
    from homelab.ci.connect import witness
    from homelab.ci.status import status

    asking = _asking(app, **words)
    return status(
        asking.servers,
        asking.request(),
        repository=app.repository,
        clock=app.clock,
        witness=witness(app, asking.remote),
    )


@ci.verb("watch", tier=Tier.READ)
@_which
@_log_lines
@_timeout
@click.option("--appear-timeout", type=SECONDS, help="Wait this long for a first run before answering 7.")
@click.option("--wait-approval", is_flag=True, help="Stay when a run is blocked, until someone approves it.")
@click.option("--fail-fast", is_flag=True, help="End at the first failed workflow, while others still run.")
@click.option("--notify", metavar="bell|COMMAND", help="Ring, or run a command, when the outcome is known.")
def watch_verb(app: App, notify: str | None, **words: Any) -> Result:
    """Watch the commit's runs to their verdict; on red, show what failed and the lines before it.

    \b
    homelab ci watch
    homelab ci watch --event any --timeout 10m
    homelab ci watch --notify 'notify-send "CI $HOMELAB_OUTCOME" "$HOMELAB_HEADLINE"'
    """  # noqa: D301 -- \b is click's mark
    from homelab.ci.connect import bringer, witness
    from homelab.ci.notify import notifying
    from homelab.ci.watch import watch

    with notifying(app.world, notify, app.emit) as told:
        asking = _asking(app, notify=notify, **words)
        answer = watch(
            asking.servers,
            asking.request(),
            repository=app.repository,
            clock=app.clock,
            emit=app.emit,
            keeper=asking.keeper(),
            bring=bringer(app, asking.remote),
            witness=witness(app, asking.remote),
        )
        return told.of(answer)


@ci.verb("logs", tier=Tier.READ)
@_which
@click.option("--step", default="", metavar="NAME", help="Only this step: its name, or workflow/name.")
@click.option("--failed", is_flag=True, help="Only steps that failed their workflow.")
@click.option("--follow", "-f", is_flag=True, help="Go on until the steps have ended.")
@click.option("--except", "without", multiple=True, metavar="NAME", help="Leave out this step. May be repeated.")
@click.option("--since-step", default="", metavar="NAME", help="Leave out the steps before this one.")
@click.option("--since-line", "since", default="0", metavar="[NAME:]LINE", help="Begin with this line of the step.")
@_timeout
def logs_verb(app: App, **words: Any) -> Result:
    """Print the steps' logs on stdout, each line once and in order.

    \b
    homelab ci logs --failed
    homelab ci logs --step test --follow
    """  # noqa: D301 -- \b is click's mark
    from homelab.ci.logs import logs
    from homelab.ci.logs_asked import LogsRequest, Since

    since = Since.read(words.pop("since"))
    shown = {name: words.pop(name) for name in ("step", "failed", "follow", "since_step", "without")}
    asking = _asking(app, **words)
    return logs(
        asking.servers,
        LogsRequest(asking.request(), since=since, **shown),
        repository=app.repository,
        clock=app.clock,
        emit=app.emit,
    )


@ci.verb("restart", tier=Tier.WRITE)
@_which
def restart_verb(app: App, **words: Any) -> Result:
    """Run again what failed or was stopped; with --pipeline, a green run too."""
    from homelab.ci import change

    return change.restart(_asking(app, **words).looking())


@ci.verb("cancel", tier=Tier.WRITE, destructive=True)
@_which
def cancel_verb(app: App, **words: Any) -> Result:
    """Stop the commit's runs that still go."""
    from homelab.ci import change

    return change.cancel(_asking(app, **words).looking())


@ci.verb("approve", tier=Tier.WRITE)
@_which
def approve_verb(app: App, **words: Any) -> Result:
    """Let the commit's blocked runs start."""
    from homelab.ci import change

    return change.approve(_asking(app, **words).looking())


@ci.verb("decline", tier=Tier.WRITE, destructive=True)
@_which
def decline_verb(app: App, **words: Any) -> Result:
    """Refuse the commit's blocked runs for good."""
    from homelab.ci import change

    return change.decline(_asking(app, **words).looking())


@ci.verb("trigger", tier=Tier.WRITE)
@click.option("--branch", help="Whose head to run (default: the target).")
@click.option("--var", "variables", multiple=True, metavar="NAME=VALUE", help="A variable, or input, of the run.")
@click.option("--workflow", default="", metavar="FILE", help="Forgejo and Gitea: the workflow's file.")
@_server
@_remote
def trigger_verb(app: App, branch: str | None, variables: tuple[str, ...], workflow: str, **words: Any) -> Result:
    """Start a manual run of a branch's head; says when nothing in its configuration matched."""
    from homelab.ci import change
    from homelab.ci.asked import pairs

    asking = _asking(app, **words)
    branch = branch or asking.target()
    return change.trigger(asking.one(), branch, pairs(variables), workflow=workflow, flags=asking.flags())


@ci.verb("open", tier=Tier.READ)
@_which
def open_verb(app: App, **words: Any) -> Result:
    """Print the page of the commit's newest run; on a terminal, open it in the browser."""
    from homelab.ci.recent import open_page

    asking = _asking(app, **words)
    return open_page(asking.looking().found(), asking.servers[0].facts().url, asking.browser())


@ci.verb("wait", tier=Tier.READ)
@click.argument("rev", default="HEAD")
@click.option(
    "--image", metavar="IMAGE", help="Image; {sha}, {sha12}, {sha7} are the commit (default: .homelab.toml's)."
)
@click.option("--timeout", type=SECONDS, default=600.0, show_default="10m", help="End with 8 after this long.")
def wait_verb(app: App, rev: str, image: str | None, timeout: float) -> Result:
    """Wait until the image that CI pushes for the commit is in its registry; print it with its digest.

    \b
    homelab ci wait --image registry.example/team/app:{sha12}
    """  # noqa: D301 -- \b is click's mark
    from homelab.ci import awaited

    return awaited.wait(app, rev, image, timeout=timeout)


@ci.verb("lint", tier=Tier.READ)
@click.argument("files", nargs=-1, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--schema",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A JSON schema to check against (default: the published one of each file's kind).",
)
def lint_verb(app: App, files: tuple[Path, ...], schema: Path | None) -> Result:
    """Check the repository's CI files against their published schema: file, line, and what is wrong."""
    from homelab.ci.lint import found, lint, named
    from homelab.ci.schema import published, read_schema

    root = app.repository.root
    chosen = named([app.world.cwd / file for file in files]) if files else found(root)
    given = read_schema(schema) if schema else None
    schemas = {kind: given or published(app, kind) for kind in dict(chosen)}
    return lint(chosen, schemas, root=root)
