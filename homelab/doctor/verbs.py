"""``homelab doctor``. Layer: command line."""

from __future__ import annotations

import click

from homelab.app import App
from homelab.result import Result
from homelab.tier import Tier
from homelab.verb import Verb


@click.command("doctor", cls=Verb, tier=Tier.READ)
def doctor(app: App) -> Result:
    """Check every part of the loop from here, and name the command that mends what is broken.

    Looks at git, both configurations, the repository and its remote, CI (address, certificate, token, push right),
    Vault, the cluster and what it lets us read, and the approval of commands. Changes nothing. The exit code is 0
    when nothing fails, else that of the first check that does.
    """
    from homelab.doctor.examine import examine

    return examine(app)
