"""``homelab deploy …``: the command line of the deploy domain. Layer: deploy, top; loads no adapter by itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from homelab.app import App
from homelab.result import Result
from homelab.tier import Tier
from homelab.verb import SECONDS, F, VerbGroup

deploy = VerbGroup("deploy", help="Whether a commit's image is what runs.")


def _options(*options: Callable[[F], F]) -> Callable[[F], F]:
    def decorate(function: F) -> F:
        for option in reversed(options):
            function = option(function)
        return function

    return decorate


_place = _options(
    click.option("-n", "--namespace", help="Namespace of targets typed as NAME or KIND/NAME."),
    click.option("--context", "contexts", multiple=True, help="Kubeconfig context; several: in each of them."),
)
_targets = _options(click.argument("targets", metavar="[NS/NAME[@CONTEXT]]...", nargs=-1), _place)
_target = _options(click.argument("target", metavar="[NS/NAME[@CONTEXT]]", required=False), _place)
_what = _options(
    click.option("--sha", metavar="REV", help="The commit whose image must run (default: HEAD)."),
    click.option("--image", metavar="REF", help="The image that must run, instead of a commit's."),
    click.option("--digest", metavar="sha256:…", help="The digest CI pushed: decides where a template pins one."),
    click.option("--container", help="The container that carries the app (default: by its image)."),
    click.option("--match", metavar="REGEX", help="Read the commit from the tag: {sha}, {sha12}, {sha7} filled in."),
    click.option("--exact", is_flag=True, help="The tag must be the commit or its beginning, nothing around it."),
    click.option("--trust-tag", is_flag=True, help="Take the tag's word where an unverified digest stands beside it."),
    click.option("--no-registry", is_flag=True, help="Never ask a container registry for digests."),
    click.option("--newer-ok", is_flag=True, help="Accept a live commit that contains the wanted one."),
    click.option("--ignore-unready-nodes", is_flag=True, help="Leave out nodes that are not ready or cordoned."),
)


@deploy.verb("wait", tier=Tier.READ)
@_targets
@_what
@click.option(
    "--timeout", type=SECONDS, help="Deadline of the whole wait (default: 15m, for the rollout alone); exit 8."
)
@click.option("--reference-timeout", type=SECONDS, help="End with 7 when no template names the image by then.")
@click.option("--stable-for", type=SECONDS, help="How long a finished rollout must stay finished (default 10s).")
@click.option("--refresh", is_flag=True, help="Ask Argo CD or Flux to look at its repository now.")
@click.option(
    "--gitops-sha", metavar="REV", help="The GitOps repository's commit that Argo CD or Flux must have applied."
)
@click.option("--gitops-repo", metavar="PATH", help="A clone of it, to know what contains that commit.")
@click.option("--run", is_flag=True, help="Of a cronjob: wait for its next run too, and judge that.")
@click.option("--allow-zero", is_flag=True, help="0 replicas wanted is fine.")
@click.option("--allow-partial", is_flag=True, help="A partition that holds pods back is fine.")
@click.option("--wait-old-gone", is_flag=True, help="Wait until old pods have gone, not only left service.")
@click.option("--patient", is_flag=True, help="Let only the deadline end it, whatever the pods say.")
@click.option("--fail-fast", is_flag=True, help="End at the first sign of trouble, without grace.")
def wait_verb(app: App, contexts: tuple[str, ...], **words: Any) -> Result:
    """Wait until the commit's image is what runs: named by the template, rolled out, proven by its pods.

    Targets: NS/NAME, NS/KIND/NAME, or -n NS KIND/NAME; without any, those of .homelab.toml. Kinds:
    deployment, statefulset, daemonset, job, cronjob, rollout, application, kustomization, helmrelease.

    \b
    homelab deploy wait
    homelab deploy wait shop/web --sha v1.4 --timeout 5m
    homelab deploy wait shop/web@staging shop/statefulset/db@staging
    """  # noqa: D301 -- \b is click's mark
    from homelab.deploy.asked import Asked
    from homelab.deploy.connect import bringer, each
    from homelab.deploy.lookup import digests
    from homelab.deploy.wait import wait_each

    asked = Asked(**words)
    waits = each(app, asked, contexts, bring=bringer(app), registry=digests(app, asking=not asked.no_registry))
    return wait_each(waits, clock=app.clock, emit=app.emit)


@deploy.verb("status", tier=Tier.READ)
@_targets
@_what
def status_verb(app: App, contexts: tuple[str, ...], **words: Any) -> Result:
    """Look once: wanted commit, live image of each container, proof, age, and who owns the template.

    Ends with 0 complete, 1 failed, 6 a person must act, 7 absent, 8 not there yet.

    \b
    homelab deploy status
    homelab deploy status shop/web --sha v1.4 --json
    """  # noqa: D301 -- \b is click's mark
    from homelab.deploy.asked import Asked
    from homelab.deploy.connect import each, without_commit
    from homelab.deploy.lookup import digests
    from homelab.deploy.status import status

    asked = without_commit(app, Asked(**words))
    looks = each(app, asked, contexts, registry=digests(app, asking=not asked.no_registry))
    return status(looks, clock=app.clock)


@deploy.verb("events", tier=Tier.READ)
@_target
@click.option("--limit", type=click.IntRange(min=1), default=20, show_default=True, help="The newest so many.")
@click.option("--warnings", is_flag=True, help="Only warnings.")
def events_verb(app: App, target: str | None, namespace: str | None, contexts: tuple[str, ...], **words: Any) -> Result:
    """Show what the cluster recorded about a workload, its revisions and its pods, oldest first."""
    from homelab.deploy.connect import one
    from homelab.deploy.recent import recent

    cluster, found = one(app, target, namespace, contexts)
    return recent(cluster, found, clock=app.clock, **words)


@deploy.verb("logs", tier=Tier.READ)
@_target
@click.option("--container", help="Only this container.")
@click.option("--previous", is_flag=True, help="The run before the last restart.")
@click.option("--tail", type=click.IntRange(min=1, max=10_000), default=100, show_default=True, help="Lines of each.")
@click.option("-f", "--follow", is_flag=True, help="Go on printing until the containers end.")
@click.option("--timeout", type=SECONDS, help="Follow for this long at most.")
def logs_verb(app: App, target: str | None, namespace: str | None, contexts: tuple[str, ...], **words: Any) -> Result:
    """Print what the pods of the live revision print: the last lines, or --follow."""
    from homelab.deploy.connect import one
    from homelab.deploy.logs import LogsRequest, logs

    cluster, found = one(app, target, namespace, contexts)
    return logs(cluster, found, LogsRequest(**words), clock=app.clock, emit=app.emit)


@deploy.verb("history", tier=Tier.READ)
@_target
def history_verb(app: App, target: str | None, namespace: str | None, contexts: tuple[str, ...]) -> Result:
    """List the revisions the cluster still holds, with image and commit, newest first; * is live."""
    from homelab.deploy.connect import one, subject_of
    from homelab.deploy.history import history

    cluster, found = one(app, target, namespace, contexts)
    return history(cluster, found, clock=app.clock, subject=subject_of(app))


@deploy.verb("restart", tier=Tier.WRITE)
@_target
def restart_verb(app: App, target: str | None, namespace: str | None, contexts: tuple[str, ...]) -> Result:
    """Make every pod anew from the same template; names the command that waits for it."""
    from homelab.deploy.change import restart
    from homelab.deploy.connect import context_of, one

    cluster, found = one(app, target, namespace, contexts)
    return restart(cluster, found, clock=app.clock, context=context_of(target, contexts))


@deploy.verb("rollback", tier=Tier.WRITE)
@_target
@click.option(
    "--to",
    type=click.IntRange(min=1),
    metavar="REVISION",
    help="Default: the last one that differs, by its image where one does.",
)
@click.option("--force", is_flag=True, help="Also where a GitOps owner will put its template back.")
def rollback_verb(
    app: App, target: str | None, namespace: str | None, contexts: tuple[str, ...], **words: Any
) -> Result:
    """Put the template of an earlier revision back; refuses where GitOps would revert it at once."""
    from homelab.deploy.change import rollback
    from homelab.deploy.connect import context_of, one

    cluster, found = one(app, target, namespace, contexts)
    return rollback(cluster, found, clock=app.clock, context=context_of(target, contexts), **words)


@deploy.verb("rbac", tier=Tier.READ)
@_targets
@click.option("--least", is_flag=True, help="Only what the wait cannot do without; it then proves by counters.")
@click.option("--refresh", is_flag=True, help="Also to ask the Argo CD or Flux objects among the targets to look.")
@click.option("--nodes", is_flag=True, help="Also for --ignore-unready-nodes.")
@click.option("--change", is_flag=True, help="Also for deploy restart and deploy rollback.")
@click.option("--account", metavar="NS/NAME", help="Bind it to this ServiceAccount.")
def rbac_verb(
    app: App,
    targets: tuple[str, ...],
    namespace: str | None,
    contexts: tuple[str, ...],
    account: str | None,
    **words: Any,
) -> Result:
    """Print the Role that deploy wait wants for its targets, ready for kubectl apply.

    To see where a change hangs, name the workload's owner too.

    \b
    homelab deploy rbac shop/web --account ci/runner | kubectl apply -f -
    homelab deploy rbac shop/web argocd/application/shop --refresh
    """  # noqa: D301 -- \b is click's mark
    from homelab.deploy.connect import some
    from homelab.deploy.rbac import Rights, rbac

    return rbac(some(app, targets, namespace, contexts), Rights(**words), account=account)
