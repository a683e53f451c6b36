"""What a verb is: a click command with a tier, the common options, and one call.

A callback receives the :class:`~homelab.app.App` first, then its own parameters, and returns a
:class:`~homelab.result.Result`. It does not loop, print, sleep or catch. Layer: above the
adapters' ports, below app and the domains.
"""

from __future__ import annotations

import importlib
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeVar

import click

from homelab.result import Result
from homelab.tier import Tier

F = TypeVar("F", bound=Callable[..., Result])


@dataclass(frozen=True, slots=True)
class Common:
    """The options every verb takes."""

    output: str | None = None
    json: bool = False
    directory: Path | None = None


class Running(Protocol):
    """An app while its verb runs."""

    def finish(self, result: Result) -> int:
        """Render ``result``; return its exit code."""


class Launcher(Protocol):
    """What click carries as ``ctx.obj``: builds the app a verb of ``tier`` may have."""

    def launch(self, verb: str, tier: Tier, common: Common) -> Running:
        """Return the app for this verb."""


def _common_options() -> list[click.Parameter]:
    return [
        click.Option(
            ["--output"],
            type=click.Choice(["human", "plain", "ndjson"]),
            help="How to render: human (default on a terminal), plain (default elsewhere), ndjson.",
        ),
        click.Option(["--json", "json_"], is_flag=True, help="Print the answer as one JSON object on stdout."),
        click.Option(
            ["-C", "directory"],
            type=click.Path(exists=True, file_okay=False, path_type=Path),
            help="Run as if started in this folder.",
        ),
    ]


class Verb(click.Command):
    """One command. ``tier`` has no default: forgetting it is a TypeError."""

    def __init__(self, *args: Any, tier: Tier, destructive: bool = False, **kwargs: Any) -> None:
        """``destructive`` marks, for agents, what cannot be taken back."""
        super().__init__(*args, **kwargs)
        self.tier = tier
        self.destructive = destructive
        self.params.extend(_common_options())

    def invoke(self, ctx: click.Context) -> int:
        """Build the app for this tier, call the callback, render its result."""
        assert self.callback is not None
        params = dict(ctx.params)
        common = Common(output=params.pop("output"), json=params.pop("json_"), directory=params.pop("directory"))
        launcher: Launcher = ctx.obj
        app = launcher.launch(" ".join(ctx.command_path.split()[1:]), self.tier, common)
        return app.finish(ctx.invoke(self.callback, app, **params))

    def to_info_dict(self, ctx: click.Context) -> dict[str, Any]:
        """Add tier and destructive to click's own description."""
        return {**super().to_info_dict(ctx), "tier": self.tier.value, "destructive": self.destructive}


class VerbGroup(click.Group):
    """A domain's verbs."""

    def verb(self, name: str, *, tier: Tier, destructive: bool = False) -> Callable[[F], F]:
        """Declare the function below as the verb ``name``; its docstring is the help."""

        def declare(function: F) -> F:
            command = click.command(name, cls=Verb, tier=tier, destructive=destructive)(function)
            self.add_command(command)
            return function

        return declare

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the verbs in the order they are declared: that of use, not of the alphabet."""
        return list(self.commands)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the verbs with their whole first sentence."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, _summary(command.help)) for name, command in self.commands.items()])


def _summary(text: str | None) -> str:
    return (text or "").strip().split("\n", 1)[0]


class LazyGroup(click.Group):
    """The root: knows each domain's module by name and loads it when its name is typed."""

    def __init__(self, *args: Any, lazy: Mapping[str, tuple[str, str]], **kwargs: Any) -> None:
        """``lazy`` maps a command's name to (``module:attribute``, one-line help)."""
        super().__init__(*args, **kwargs)
        self.lazy = lazy

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names in the order of the loop, not of the alphabet."""
        return list(self.lazy)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the one module that holds ``cmd_name``."""
        if cmd_name not in self.lazy:
            return None
        module, _, attribute = self.lazy[cmd_name][0].partition(":")
        command: click.Command = getattr(importlib.import_module(module), attribute)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands from the table, without importing any."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in self.lazy.items()])


def manifest(described: Mapping[str, Any], name: str = "") -> list[str]:
    """Return click's own description of the tree as one JSON line a verb: name, tier, summary, parameters."""
    lines = []
    for part, command in described["commands"].items():
        full = f"{name} {part}".strip()
        if "commands" in command:
            lines += manifest(command, full)
        else:
            lines.append(json.dumps(_described(full, command)))
    return lines


def _described(name: str, command: Mapping[str, Any]) -> dict[str, Any]:
    params = [
        {"name": param["name"], "flags": param.get("opts", []), "kind": param["param_type_name"]}
        | {"required": param["required"], "help": param.get("help")}
        for param in command["params"]
        if "--help" not in param.get("opts", [])
    ]
    facts = {"tier": command.get("tier"), "destructive": command.get("destructive", False)}
    return {"name": name, **facts, "summary": _summary(command["help"]), "params": params}


class Seconds(click.ParamType):  # type: ignore[type-arg]  # subscripted only in newer clicks
    """A duration as people type it: ``90``, ``90s``, ``10m``, ``1h``, ``1h30m``. Handed over in seconds."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Return seconds, zero or more."""
        if isinstance(value, (int, float)):
            return float(value)
        parts = re.fullmatch(r"(?:(\d+)h)?(?:(\d+)m)?(?:(\d+(?:\.\d+)?)s?)?", str(value).strip())
        if not parts or not any(parts.groups()):
            self.fail(f"{value!r} is not a duration; write 90s, 10m or 1h30m", param, ctx)
        hours, minutes, seconds = (float(part or 0) for part in parts.groups())
        return hours * 3600 + minutes * 60 + seconds


SECONDS = Seconds()
