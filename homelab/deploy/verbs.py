"""``homelab deploy …``: the command line of the deploy domain. Layer: deploy, top; loads no adapter by itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from homelab.app import App
from homelab.deploy.asked import Asked
from homelab.deploy.connect import cluster_for, request_from
from homelab.deploy.wait import wait
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


_where = _options(
    click.argument("targets", metavar="[NS/NAME]...", nargs=-1),
    click.option("-n", "--namespace", help="Namespace of targets typed as NAME or KIND/NAME."),
    click.option("--context", help="Kubeconfig context (default: the configured or the current one)."),
)
_what = _options(
    click.option("--sha", metavar="REV", help="The commit whose image must run (default: HEAD)."),
    click.option("--image", metavar="REF", help="The image that must run, instead of a commit's."),
    click.option("--digest", metavar="sha256:…", help="The digest CI pushed: decides where a template pins one."),
    click.option("--container", help="The container that carries the app (default: by its image)."),
    click.option("--match", metavar="REGEX", help="Read the commit from the tag: {sha}, {sha12}, {sha7} filled in."),
    click.option("--exact", is_flag=True, help="The tag must be the commit or its beginning, nothing around it."),
    click.option("--trust-tag", is_flag=True, help="Take the tag's word where an unverified digest stands beside it."),
    click.option("--newer-ok", is_flag=True, help="Accept a live commit that contains the wanted one."),
)


@deploy.verb("wait", tier=Tier.READ)
@_where
@_what
@click.option("--timeout", type=SECONDS, help="End with 8 when the rollout takes longer, from the template's change.")
@click.option("--reference-timeout", type=SECONDS, help="End with 7 when no template names the image by then.")
@click.option("--stable-for", type=SECONDS, help="How long a finished rollout must stay finished (default 10s).")
@click.option("--allow-zero", is_flag=True, help="0 replicas wanted is fine.")
@click.option("--wait-old-gone", is_flag=True, help="Wait until old pods have gone, not only left service.")
@click.option("--patient", is_flag=True, help="Let only the deadline end it, whatever the pods say.")
@click.option("--fail-fast", is_flag=True, help="End at the first sign of trouble, without grace.")
def wait_verb(app: App, context: str | None, **words: Any) -> Result:
    """Wait until the commit's image is what runs: named by the template, rolled out, proven by its pods.

    Without targets: those of the repository's .homelab.toml.

    \b
    homelab deploy wait
    homelab deploy wait shop/web --sha v1.4 --timeout 5m
    homelab deploy wait -n shop deployment/web --image registry.example/shop/web:1.4
    """  # noqa: D301 -- \b is click's mark
    request = request_from(app, Asked(**words), context)
    return wait(cluster_for(app, context), request, clock=app.clock, emit=app.emit)
