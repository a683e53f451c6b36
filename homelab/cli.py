"""The command line: the tree of verbs, the error boundary, the exit.

Knows each domain by name and imports it when its name is typed. Reads the surroundings once;
nothing below reads ``os.environ``, ``sys.argv`` or the terminal. Layer: top.
"""

from __future__ import annotations

import atexit
import os
import signal
import sys
import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from io import TextIOWrapper
from pathlib import Path
from types import FrameType
from typing import NoReturn

import click

from homelab import __version__
from homelab.app import App
from homelab.console.choose import check, choose
from homelab.console.port import Renderer
from homelab.errors import HomelabError, Interrupted, UsageError
from homelab.events import ReaderLeft
from homelab.outcome import Outcome
from homelab.tier import Tier
from homelab.verb import Common, LazyGroup, manifest
from homelab.world import World

VERBS = {
    "work": ("homelab.work.verbs:work", "Start a branch, land it, list and clean what landed."),
    "ci": ("homelab.ci.verbs:ci", "Ask what CI says about a commit, or watch it to its verdict."),
    "deploy": ("homelab.deploy.verbs:deploy", "Wait until a commit's image is what runs."),
    "doctor": ("homelab.doctor.verbs:doctor", "Check every part of the loop from here."),
    "config": ("homelab.config.verbs:config", "Show what is in force, and where it comes from."),
    "trust": ("homelab.trust.verbs:trust", "Approve the commands of this repository's .homelab.toml."),
    "lab": ("homelab.lab.verbs:lab", "Run the whole loop's servers on this machine."),
    "demo": ("homelab.lab.verbs:demo", "Land a change in the lab and watch it reach the cluster."),
}


def exit_codes() -> str:
    """Return the table of outcomes as help text, a line each."""
    return "\n".join(f"  {int(outcome):>3}  {outcome.word} — {outcome.meaning}" for outcome in Outcome)


class Root(LazyGroup):
    """The tree, with the table of exit codes under its help."""

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Print the exit codes as they are, unwrapped."""
        formatter.write_paragraph()
        formatter.write("Exit codes, the same for every verb:\n" + exit_codes() + "\n")


def _print_manifest(ctx: click.Context, _param: click.Parameter, wanted: bool) -> None:  # noqa: FBT001 -- click's signature
    if wanted:
        for line in manifest(ctx.command.to_info_dict(ctx)):
            click.echo(line)
        ctx.exit()


def _enter(ctx: click.Context, _param: click.Parameter, folder: Path | None) -> None:
    if folder is not None:
        launch: Launch = ctx.obj
        launch.enter(folder)


@click.group("homelab", cls=Root, lazy=VERBS, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="homelab")
@click.option(
    "--manifest",
    is_flag=True,
    expose_value=False,
    is_eager=True,
    callback=_print_manifest,
    help="Describe every verb as one JSON line: name, tier, summary, parameters.",
)
@click.option(
    "-C",
    "directory",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    expose_value=False,
    callback=_enter,
    help="Run as if started in this folder.",
)
def cli() -> None:
    """Commit → CI → image → deploy → healthy → public URL: each step one command that ends with the truth."""


class Launch:
    """What click carries: builds the one app of this run, and remembers its renderer for the boundary."""

    def __init__(self, world: World, renderer: Renderer) -> None:
        """``renderer`` speaks until a verb has chosen its own."""
        self.world = world
        self.renderer = renderer
        self.app: App | None = None

    def launch(self, verb: str, tier: Tier, common: Common) -> App:
        """Choose the renderer the verb was asked for and build its app."""
        if common.directory is not None:
            self.enter(common.directory)
        if not self.world.cwd.is_dir():
            raise UsageError("the current folder is gone", why=f"{self.world.cwd} was removed or moved", fix="cd ~")
        self.renderer = choose(self.world, common.output, as_json=common.json)
        self.app = App(self.world, tier=tier, renderer=self.renderer, output=common.output)
        return self.app

    def enter(self, folder: Path) -> None:
        """Run as if started in ``folder``."""
        self.world = replace(self.world, cwd=(self.world.cwd / folder).resolve())

    def close(self) -> None:
        """Leave the terminal and every connection as they were found."""
        self.renderer.close()
        if self.app is not None:
            self.app.close()


def run(argv: Sequence[str], world: World) -> int:
    """Run one command line in ``world``; return its exit code. Raises nothing."""
    launch = Launch(world, choose(world, _asked_output(argv), as_json="--json" in argv))
    try:
        check(world)
        code = cli.main(args=list(argv), prog_name="homelab", standalone_mode=False, obj=launch)
        return int(code or 0)
    except (ReaderLeft, SystemExit):
        # click leaves by SystemExit where the reader of its help went away (``| head``).
        return int(Outcome.DONE)
    except BaseException as error:  # noqa: BLE001 -- the boundary: whatever happened becomes a sentence and a code
        translated = _translate(error, launch.world)
        launch.renderer.error(translated)
        return int(translated.outcome)
    finally:
        launch.close()


def _asked_output(argv: Sequence[str]) -> str | None:
    """Find ``--output`` before click has parsed, so that a usage error is rendered as asked."""
    for position, word in enumerate(argv):
        if word.startswith("--output="):
            return word.partition("=")[2]
        if word == "--output" and position + 1 < len(argv):
            return argv[position + 1]
    return None


def _translate(error: BaseException, world: World) -> HomelabError:
    """Turn whatever reached the boundary into one of our errors."""
    if isinstance(error, HomelabError):
        return error
    if isinstance(error, click.ClickException):
        return _usage(error)
    if isinstance(error, (KeyboardInterrupt, click.Abort)):
        return Interrupted("interrupted", why="Ctrl-C (SIGINT)", fix="run the same command again; it continues")
    from homelab.console.crash import crash_log  # noqa: PLC0415 -- a command that works never needs it

    return crash_log(error, world)


def _usage(error: click.ClickException) -> UsageError:
    context = getattr(error, "ctx", None)
    path = context.command_path if context is not None else "homelab"
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        return _no_verb(error.ctx)
    return UsageError(error.format_message().rstrip("."), why="nothing was done", fix=f"{path} --help")


def _no_verb(ctx: click.Context | None) -> UsageError:
    """Say which words may follow, in a screen's half: a program reads this as often as a person."""
    assert ctx is not None
    group = ctx.command
    assert isinstance(group, click.Group)
    texts = {name: text for name, (_, text) in group.lazy.items()} if isinstance(group, LazyGroup) else {}
    names = group.list_commands(ctx)
    texts = texts or {name: group.commands[name].get_short_help_str(80) for name in names}
    return UsageError(
        f"{ctx.command_path} needs a verb",
        why="nothing was done; one of these belongs behind it",
        details=tuple(f"{name:<9} {texts[name]}" for name in names),
        fix=f"{ctx.command_path} --help",
    )


def _raise_interrupted(number: int, _frame: FrameType | None) -> NoReturn:
    name = signal.Signals(number).name
    outcome = Outcome.HUNG_UP if number == signal.SIGHUP else Outcome.TERMINATED
    raise Interrupted("interrupted", why=name, fix="run the same command again; it continues", outcome=outcome)


def main() -> NoReturn:
    """Run this process's command line and exit with its code."""
    _fill_standard_streams()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # help has arrows and dashes that not every encoding has
    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGTERM, signal.SIGHUP):
            with suppress(ValueError, OSError):
                signal.signal(number, _raise_interrupted)
        if signal.getsignal(signal.SIGINT) is signal.SIG_DFL:
            signal.signal(signal.SIGINT, signal.default_int_handler)
    _leave(run(sys.argv[1:], World.real()))


def _fill_standard_streams() -> None:
    """Give a closed stdin, stdout or stderr (``>&-``, some hooks) to nothing.

    Otherwise the next file or socket opened takes its number, and what a child of ours prints goes there.
    """
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        try:
            os.fstat(number)
        except OSError:
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)  # the lowest free number is this one
            setattr(sys, name, open(number, "r" if number == 0 else "w", encoding="utf-8", closefd=False))  # noqa: SIM115 -- lives as long as the process


def _leave(code: int) -> NoReturn:
    """End the process at once: freeing the loaded libraries one by one takes longer than reacting to an event."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # the verdict is said; nothing may change its code now
    atexit._run_exitfuncs()  # noqa: SLF001 -- what libraries registered (temporary key files) still runs
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):
            stream.flush()
    os._exit(code)
