"""``homelab lab up|down|status`` and ``homelab demo``. Layer: lab, command line."""

from __future__ import annotations

from pathlib import Path

import click

from homelab.app import App
from homelab.lab.layout import layout_of
from homelab.result import Result
from homelab.tier import Tier
from homelab.verb import Verb, VerbGroup

lab = VerbGroup("lab", help="The loop's servers on this machine: git, CI, OpenBao, Caddy, Kubernetes, a registry.")

_folder = click.option(
    "--dir",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    help="The lab's folder (default: in the state folder).",
)


@lab.verb("up", tier=Tier.WRITE)
@_folder
def up_verb(app: App, folder: Path | None) -> Result:
    """Start every part that does not run, and print the line that makes a terminal use them."""
    from homelab.lab.up import up

    return up(layout_of(app.world, folder), env=app.world.env, clock=app.clock, emit=app.emit)


@lab.verb("down", tier=Tier.WRITE, destructive=True)
@_folder
def down_verb(app: App, folder: Path | None) -> Result:
    """Stop every part and remove the folder, the sample's clone in it too."""
    from homelab.lab.down import down

    return down(layout_of(app.world, folder))


@lab.verb("status", tier=Tier.READ)
@_folder
def status_verb(app: App, folder: Path | None) -> Result:
    """Say which parts run, and how to use them."""
    from homelab.lab.status import status

    return status(layout_of(app.world, folder))


@click.command("demo", cls=Verb, tier=Tier.WRITE)
@click.option("--fail", type=click.Choice(["ci", "deploy"]), help="Land a change that CI, or the cluster, refuses.")
@click.option("--keep", is_flag=True, help="Leave the lab running afterwards, with its folder.")
def demo(app: App, fail: str | None, keep: bool) -> Result:  # noqa: FBT001 -- click hands flags over by position
    """Start a lab, land a change in it, watch it reach the cluster, and take the lab down."""
    from homelab.lab.demo import demo as run_demo

    return run_demo(app, fail=fail or "", keep=keep)
