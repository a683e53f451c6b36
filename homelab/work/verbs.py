"""``homelab work …``: from a topic to what runs. Layer: the work domain's command line; verbs only."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from homelab.app import App
from homelab.result import Result
from homelab.tier import Tier
from homelab.verb import SECONDS, VerbGroup
from homelab.work.model import LandRequest, Strategy

work = VerbGroup("work", help="Start a branch, land it, list and clean what landed.")

F = TypeVar("F", bound=Callable[..., Any])


def _flag(name: str, text: str) -> Callable[[F], F]:
    return click.option(f"--{name}", is_flag=True, help=text)


@work.verb("land", tier=Tier.WRITE)
@click.option("--remote", help="Land on this remote (default: as configured, else forgejo, origin, or the only one).")
@click.option("--into", metavar="BRANCH", help="Land on this branch of the remote (default: its default branch).")
@click.option(
    "--strategy", type=click.Choice([one.value for one in Strategy]), help="How to integrate (default merge)."
)
@click.option(
    "--verify-cmd", "verify", metavar="COMMAND", help="Verify with this command instead of the configured one."
)
@click.option(
    "--verify-in",
    type=click.Choice(["worktree", "scratch"]),
    default="worktree",
    help="Where to verify: here, or in a clean copy that leaves this worktree alone.",
)
@_flag("no-verify-land", "Land without verifying. Said in the output, recorded in the state.")
@_flag("yes", "Approve the repository's verification command without asking.")
@_flag("accept-verify-change", "Let this branch change the verification command it is judged by.")
@_flag("allow-untracked", "Land although files here are neither tracked nor ignored.")
@_flag("allow-empty", "Land commits that change nothing, to start CI for example.")
@_flag("accept-rewind", "Bring back commits that someone removed from the target by force.")
@_flag("create-target", "Create the target branch when the remote does not have it.")
@_flag("rebase-merges", "With --strategy rebase: keep the branch's merges.")
@click.option("--branch-name", metavar="NAME", help="Name on the remote, for a detached HEAD or a pull request.")
@click.option(
    "--on-conflict",
    type=click.Choice(["leave", "abort"]),
    default="leave",
    help="Leave a conflict open here to be resolved, or take it back.",
)
@click.option("--push-option", "push_options", multiple=True, metavar="TEXT", help="Hand this to the server's hooks.")
@click.option(
    "--attempts", type=click.IntRange(1, 50), default=5, show_default=True, help="Tries when others land first."
)
@click.option("--lock-timeout", type=SECONDS, help="Wait this long for another land of the same target (default 60s).")
@_flag("no-ci-watch", "Do not wait for CI after landing.")
@_flag("no-deploy-wait", "Do not wait for the rollout after CI.")
@click.option(
    "--on-red",
    type=click.Choice(["leave", "revert"]),
    default="leave",
    help="Leave what landed with red CI, or revert it while nobody has landed on top.",
)
@click.option("--all-push-urls", is_flag=True, help="Push what landed to the remote's other push URLs too.")
@_flag("staged", "Push the commit as a branch first and land it when CI is green there.")
@_flag("open-pr", "Where the target is protected: open a pull request through the forge's API.")
@_flag("resume", "Only continue the unfinished land of this worktree.")
@_flag("abort", "Take an unfinished land back, when nothing of it reached the target.")
@_flag("dry-run", "Show what a land would do, and touch nothing.")
def land(app: App, *, abort: bool, dry_run: bool, on_red: str, **words: Any) -> Result:
    """Land this branch: integrate, verify, push the verified commit, watch CI, wait for the rollout.

    Running it again is always safe: it asks the remote first, then continues where it stopped.

    \b
    homelab work land
    homelab work land --verify-cmd 'make check' --no-deploy-wait
    homelab work land --verify-in scratch
    """  # noqa: D301 -- \b is click's mark
    if abort:
        from homelab.work.abort import abort as take_back

        return take_back(app)
    request = _land_request(words)
    if dry_run:
        from homelab.work.dry_run import dry_run as show_plan

        return show_plan(app, request)
    from homelab.work import land, loop
    from homelab.work import on_red as red

    return (red.land_or_revert if on_red == "revert" else land.land)(app, request, loop.waits(app))


def _land_request(words: dict[str, Any]) -> LandRequest:
    said = dict(words)
    return LandRequest(
        ci=not said.pop("no_ci_watch"),
        deploy=not said.pop("no_deploy_wait"),
        no_verify=said.pop("no_verify_land"),
        scratch=said.pop("verify_in") == "scratch",
        abort_conflict=said.pop("on_conflict") == "abort",
        **said,
    )


@work.verb("status", tier=Tier.READ)
def status(app: App) -> Result:
    """Show the unfinished land of this worktree, and the next command: 18 when nobody knows whether it landed."""
    from homelab.work import status as use

    return use.status(app)


@work.verb("revert", tier=Tier.WRITE)
@click.argument("rev", required=False)
@click.option("--remote", help="Revert on this remote.")
@click.option("--into", metavar="BRANCH", help="Revert on this branch of the remote (default: its default branch).")
@click.option(
    "--verify-cmd", "verify", metavar="COMMAND", help="Verify with this command instead of the configured one."
)
@_flag("no-verify-land", "Land the revert without verifying.")
@_flag("yes", "Approve the repository's verification command without asking.")
@_flag("no-ci-watch", "Do not wait for CI after landing.")
@_flag("no-deploy-wait", "Do not wait for the rollout after CI.")
def revert(app: App, rev: str | None, **words: Any) -> Result:
    """Revert a landed change (the last one, or REV) in a new worktree, and land the revert.

    \b
    homelab work revert 25ffc34273be
    """  # noqa: D301 -- \b is click's mark
    from homelab.work import loop
    from homelab.work import revert as use

    return use.revert(app, rev, _revert_request(words), loop.waits(app))


def _revert_request(words: dict[str, Any]) -> LandRequest:
    said = dict(words)
    return LandRequest(
        ci=not said.pop("no_ci_watch"),
        deploy=not said.pop("no_deploy_wait"),
        no_verify=said.pop("no_verify_land"),
        **said,
    )


@work.verb("start", tier=Tier.WRITE)
@click.argument("topic")
@click.option("--remote", help="Start from this remote's target.")
@click.option("--base", metavar="BRANCH", help="Start from this branch of the remote (default: its default branch).")
@_flag("offline", "Start from the target as last seen, asking nobody.")
def start(app: App, topic: str, **words: Any) -> Result:
    """Make a branch and a worktree for TOPIC from the newest target; print its path.

    \b
    cd "$(homelab work start fix-login)"
    """  # noqa: D301 -- \b is click's mark
    from homelab.work import start as use

    return use.start(app, topic, **words)


@work.verb("list", tier=Tier.READ)
@_flag("fetch", "Ask the remote where the target is now.")
def list_verb(app: App, *, fetch: bool) -> Result:
    """List the worktrees: how far from the target, what is uncommitted, what has landed."""
    from homelab.work import list as use

    return use.list_worktrees(app, fetch=fetch)


@work.verb("clean", tier=Tier.WRITE, destructive=True)
@click.argument("topic")
@click.option("--remote", help="Prove the landing against this remote's target.")
@_flag("discard", "Give up commits that are not in the target; a backup ref keeps them.")
@_flag("drop-ignored", "Delete ignored files with it even when they look irreplaceable.")
def clean(app: App, topic: str, **words: Any) -> Result:
    """Remove TOPIC's worktree and branch once its work is proven to be in the target."""
    from homelab.work import clean as use

    return use.clean(app, topic, **words)


hook = VerbGroup("hook", help="Judge pushes to the target that go around work land.")
work.add_command(hook)


@hook.verb("install", tier=Tier.WRITE)
def hook_install(app: App) -> Result:
    """Install the pre-push hook of this repository; a hook that is there is kept and runs first."""
    from homelab.work import hook_install

    return hook_install.install(app)


@hook.verb("uninstall", tier=Tier.WRITE)
def hook_uninstall(app: App) -> Result:
    """Remove the hook, and put back the one that was there before."""
    from homelab.work import hook_install

    return hook_install.uninstall(app)


@hook.verb("run", tier=Tier.WRITE)
@click.argument("remote")
@click.argument("url")
def hook_run(app: App, remote: str, url: str) -> Result:
    """Be the pre-push hook: git calls this with the remote's name and URL, and the refs on stdin."""
    from homelab.work import hook_run

    return hook_run.run(app, remote, url, app.world.stdin.read() if app.world.stdin else "")
