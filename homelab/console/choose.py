"""Which renderer speaks: the flag, ``HOMELAB_OUTPUT``, else human on a terminal and plain off it."""

from __future__ import annotations

from homelab.console.plain import Plain
from homelab.console.port import Renderer
from homelab.errors import UsageError
from homelab.world import World

NAMES = ("human", "plain", "ndjson")


def choose(world: World, asked: str | None, *, as_json: bool) -> Renderer:
    """Return the renderer for ``asked``; a word that is none of ours falls back and click reports it."""
    name = asked if asked in NAMES else _from_surroundings(world)
    if name == "ndjson":
        from homelab.console.ndjson import Ndjson  # noqa: PLC0415 -- one renderer speaks, the others stay on disk

        return Ndjson(world.stdout, world.clock)
    if name == "human" and not as_json:
        from homelab.console.human import Human  # noqa: PLC0415 -- loads rich, wanted on a terminal alone

        return Human(world)
    return Plain(world.stdout, world.stderr, as_json=as_json)


def _from_surroundings(world: World) -> str:
    named = world.env.get("HOMELAB_OUTPUT", "")
    if named in NAMES:
        return named
    terminal = world.stderr.isatty() and world.env.get("TERM", "") not in ("", "dumb")
    return "human" if terminal else "plain"


def check(world: World) -> None:
    """Refuse a ``HOMELAB_OUTPUT`` that names no renderer."""
    named = world.env.get("HOMELAB_OUTPUT")
    if named and named not in NAMES:
        raise UsageError(
            f"HOMELAB_OUTPUT is {named!r}, which is no renderer",
            why=f"the renderers are {', '.join(NAMES)}",
            fix="unset HOMELAB_OUTPUT",
        )
