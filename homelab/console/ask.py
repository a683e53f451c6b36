"""Ask the person at the terminal one question. Layer: console."""

from __future__ import annotations

from homelab.console.clean import clean
from homelab.world import World


def ask(world: World, question: str) -> bool:
    """Return True only for a typed ``y`` or ``yes``; an end of input, or nobody to ask, is a no."""
    if not world.interactive or world.stdin is None:
        return False
    world.stderr.write(f"{clean(question)} [y/N] ")
    world.stderr.flush()
    return world.stdin.readline().strip().lower() in ("y", "yes")
