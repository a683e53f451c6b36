"""``homelab config show``. Layer: command line."""

from __future__ import annotations

from homelab.app import App
from homelab.result import Result
from homelab.tier import Tier
from homelab.verb import VerbGroup

config = VerbGroup("config", help="What is in force, and where it comes from.")


@config.verb("show", tier=Tier.READ)
def show_verb(app: App) -> Result:
    """Print each effective value with its origin, secrets never.

    A token appears as the places it would come from. An origin is a flag, "environment NAME", a file with
    its line, "git config KEY", or "default".
    """
    from homelab.config.show import show

    return show(app)
