"""From an app to requests and clusters. Layer: the deploy domain, just below the verbs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from homelab.app import App
from homelab.deploy.ancestry import no_more
from homelab.deploy.asked import Asked, request, targets
from homelab.deploy.digests import Digests
from homelab.deploy.gitops.commit import in_clone, without_clone
from homelab.deploy.gitops.delivery import GitOpsCommit
from homelab.deploy.history import Subject
from homelab.deploy.lookup import digests
from homelab.deploy.request import WaitRequest
from homelab.errors import HomelabError, UsageError
from homelab.kube.port import Cluster
from homelab.settings.model import DeployTarget

#: Fetches of one wait, and the seconds of each.
MOST_FETCHES, FETCH_TIMEOUT = 5, 30.0


def request_for(app: App, oid: str) -> WaitRequest | None:
    """Return the request to wait for ``oid`` on the repository's deploy targets; None where it has none."""
    if not app.settings.repository.deploy:
        return None
    return request_from(app, Asked(sha=oid), bring=bringer(app), registry=digests(app))


def request_from(
    app: App,
    asked: Asked,
    context: str | None = None,
    *,
    bring: Callable[[], None] = no_more,
    registry: Digests | None = None,
) -> WaitRequest:
    """Return the request for what was typed. Raises UsageError."""
    found = request(
        asked,
        app.settings,
        repository=lambda: app.repository,
        namespace=lambda: cluster_for(app, context).namespace,
        context=context,
        bring=bring,
        registry=registry,
    )
    return replace(found, gitops=gitops_commit(app, asked.gitops_sha, asked.gitops_repo))


def gitops_commit(app: App, sha: str | None, clone: str | None) -> GitOpsCommit | None:
    """Return the expected commit of the GitOps repository; its clone is the one typed, else the user's setting."""
    if sha is None:
        if clone is not None:
            raise UsageError(
                "--gitops-repo names a clone, and no --gitops-sha a commit",
                why="nothing was asked of any server",
                fix=f"--gitops-sha HEAD --gitops-repo {clone}",
            )
        return None
    folder = app.world.cwd / Path(clone).expanduser() if clone is not None else app.settings.gitops_clone
    if folder is None:
        return without_clone(sha)
    there = app.at(folder)
    return in_clone(sha, there.repository, bringer(there))


def bringer(app: App) -> Callable[[], None]:
    """Return what fetches the target branch's objects, no ref: another clone may have landed what is live.

    It is asked for every live commit that is not here, and goes out at most :data:`MOST_FETCHES` times.
    """
    left = MOST_FETCHES

    def bring() -> None:
        """Fetch once more, while that is allowed."""
        nonlocal left
        if left <= 0:
            return
        left -= 1
        name = app.repository.remote().name
        branch = app.repository.target(name)
        quiet = ("--quiet", "--no-tags", "--no-write-fetch-head", "--refmap=", "--no-recurse-submodules")
        what = f"refs/heads/{branch}" if branch else "HEAD"
        app.git.run("fetch", *quiet, "--end-of-options", name, what, timeout=FETCH_TIMEOUT)

    return bring


def each(
    app: App,
    asked: Asked,
    contexts: Sequence[str],
    *,
    bring: Callable[[], None] = no_more,
    registry: Digests | None = None,
) -> list[tuple[Cluster, WaitRequest]]:
    """Return a request for each cluster: targets typed with ``@CONTEXT`` in that one, the others in all.

    ``bring`` and ``registry``: see :func:`homelab.deploy.asked.request`.
    """
    spaces = _by_context(asked.targets, contexts)
    return [
        (
            cluster_for(app, context),
            request_from(app, replace(asked, targets=typed), context, bring=bring, registry=registry),
        )
        for context, typed in spaces.items()
    ]


def _by_context(typed: Sequence[str], contexts: Sequence[str]) -> dict[str | None, tuple[str, ...]]:
    everywhere: list[str | None] = [*dict.fromkeys(contexts)] or [None]
    if not typed:
        return dict.fromkeys(everywhere, ())
    found: dict[str | None, tuple[str, ...]] = {}
    for text in typed:
        target, at, context = text.partition("@")
        for place in [context] if at else everywhere:
            found[place] = (*found.get(place, ()), target)
    return found


def one(app: App, text: str | None, namespace: str | None, contexts: Sequence[str]) -> tuple[Cluster, DeployTarget]:
    """Return the one target a verb is about, and its cluster. Raises UsageError where there are several."""
    ((context, typed), *others) = _by_context([text] if text else [], contexts).items()
    cluster = cluster_for(app, context)
    found = targets(typed, app.settings, namespace, lambda: cluster.namespace)
    if others or len(found) != 1:
        raise UsageError(
            "this verb is about one workload",
            why="targets here: " + ", ".join(target.slug for target in found),
            fix="name one: NS/NAME, and at most one --context",
        )
    return cluster, found[0]


def context_of(text: str | None, contexts: Sequence[str]) -> str | None:
    """Return the context that was typed for the one target of a verb."""
    ((context, _), *_others) = _by_context([text] if text else [], contexts).items()
    return context


def some(app: App, typed: Sequence[str], namespace: str | None, contexts: Sequence[str]) -> tuple[DeployTarget, ...]:
    """Return the targets typed, else the repository's, without asking any cluster where namespaces are given."""
    context = contexts[0] if contexts else None
    return targets(typed, app.settings, namespace, lambda: cluster_for(app, context).namespace)


def cluster_for(app: App, context: str | None) -> Cluster:
    """Return the cluster of ``context``, or of the settings'."""
    return app.kube(context) if context else app.cluster


def subject_of(app: App) -> Subject:
    """Return what says a commit's subject, as far as the repository here knows it."""

    def subject(commit: str) -> str:
        try:
            return app.repository.commit(app.repository.resolve(commit)).subject
        except HomelabError:
            return ""

    return subject


def without_commit(app: App, asked: Asked) -> Asked:
    """Return the words with the repository's HEAD, or with no commit at all outside a repository."""
    if asked.sha or asked.image:
        return asked
    try:
        return replace(asked, sha=app.repository.resolve("HEAD"))
    except HomelabError:
        return replace(asked, unknown=True)
