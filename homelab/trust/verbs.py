"""``homelab trust``. Layer: command line."""

from __future__ import annotations

import click

from homelab.app import App
from homelab.errors import UsageError
from homelab.result import Result
from homelab.tier import Tier
from homelab.verb import Verb


@click.command("trust", cls=Verb, tier=Tier.WRITE)
@click.argument("key", required=False)
@click.option("--yes", is_flag=True, help="Approve without asking: for scripts and agents whose owner decided.")
@click.option("--list", "list_", is_flag=True, help="Print every approval on this machine.")
@click.option("--revoke", "revoke_", is_flag=True, help="Forget what is approved here, or for KEY as --list prints it.")
def trust(app: App, key: str | None, *, yes: bool, list_: bool, revoke_: bool) -> Result:
    """Show the command of this repository's .homelab.toml, and approve it.

    A command runs only after its exact text was approved for its repository; a changed text asks again.
    Without a terminal and without --yes nothing is approved and the exit code is 6.
    """
    if yes + list_ + revoke_ > 1 or (key is not None and not revoke_):
        raise UsageError(
            "these options do not go together",
            why="--yes, --list and --revoke exclude each other; KEY belongs to --revoke",
            fix="homelab trust --help",
        )
    from homelab.trust.review import listed, review, revoke

    if list_:
        return listed(app)
    return revoke(app, key) if revoke_ else review(app, yes=yes)
