"""The words of a command line as targets and a request. Layer: the deploy domain, below the verbs."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from homelab.deploy.ancestry import newer_than, no_more
from homelab.deploy.digests import Digests
from homelab.deploy.gitops import ownership
from homelab.deploy.kinds.table import CRON_JOB, KINDS, kind_named
from homelab.deploy.reference import SHORTEST, Wanted
from homelab.deploy.request import WaitRequest
from homelab.deploy.terms import Beside, Patience
from homelab.errors import UsageError
from homelab.git.port import Repository
from homelab.registry.reference import parse
from homelab.settings.model import DeployTarget, Settings

_FULL = re.compile(r"[0-9a-fA-F]{40}(?:[0-9a-fA-F]{24})?")
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")

#: The flags of ``deploy wait`` that belong to the same question asked again.
_FLAGS = (
    *("exact", "trust_tag", "newer_ok", "ignore_unready_nodes", "allow_zero"),
    *("allow_partial", "wait_old_gone", "patient", "fail_fast", "run", "no_registry"),
)


@dataclass(frozen=True, slots=True)
class Asked:
    """What was typed after ``deploy wait``; None: not said."""

    targets: tuple[str, ...] = ()
    namespace: str | None = None
    sha: str | None = None
    image: str | None = None
    digest: str | None = None
    container: str | None = None
    timeout: float | None = None
    reference_timeout: float | None = None
    stable_for: float | None = None
    allow_zero: bool = False
    patient: bool = False
    fail_fast: bool = False
    exact: bool = False
    match: str | None = None
    trust_tag: bool = False
    newer_ok: bool = False
    wait_old_gone: bool = False
    allow_partial: bool = False
    ignore_unready_nodes: bool = False
    refresh: bool = False
    #: The commit of the GitOps repository, and a clone of it.
    gitops_sha: str | None = None
    gitops_repo: str | None = None
    run: bool = False
    no_registry: bool = False
    #: No commit is known: whatever is live is looked at.
    unknown: bool = False

    def options(self, oid: str) -> tuple[str, ...]:
        """Return the options that say what is wanted, as they are typed; ``oid`` is what the revision named.

        The deadlines are left out: the same command with the same deadline ends the same.
        """
        # A full commit needs no repository, so it stays whole.
        commit = oid if self.sha and _FULL.fullmatch(self.sha) else oid[:12]
        hold = None if self.stable_for is None else f"{self.stable_for:g}s"
        valued = {"--sha": commit, "--image": self.image, "--digest": self.digest, "--container": self.container}
        also = {"--match": self.match, "--stable-for": hold, "--gitops-sha": self.gitops_sha}
        also["--gitops-repo"] = self.gitops_repo
        typed = [part for name, value in (*valued.items(), *also.items()) if value for part in (name, value)]
        return (*typed, *("--" + flag.replace("_", "-") for flag in _FLAGS if getattr(self, flag)))


def request(
    asked: Asked,
    settings: Settings,
    *,
    repository: Callable[[], Repository],
    namespace: Callable[[], str],
    context: str | None = None,
    bring: Callable[[], None] = no_more,
    registry: Digests | None = None,
) -> WaitRequest:
    """Return the request. ``repository`` and ``namespace`` are called only where the words need them.

    A typed ``timeout`` is the deadline of the whole wait, and so of the reference too unless that has its own.
    ``bring`` fetches what the repository lacks to know a live commit; ``registry`` is asked for digests.

    Raises UsageError for what cannot be meant.
    """
    if asked.patient and asked.fail_fast:
        raise _usage("--patient and --fail-fast contradict each other", "give one of them, or neither")
    patience = Patience.PATIENT if asked.patient else Patience.NONE if asked.fail_fast else Patience.NORMAL
    wanted = _wanted(asked, settings, repository)
    times = settings.timeouts
    meant = targets(asked.targets, settings, asked.namespace, namespace, container=asked.container)
    if asked.run and not any(target.kind == CRON_JOB.name for target in meant):
        raise _usage("--run is about a cronjob, and none is meant", "homelab deploy wait NS/cronjob/NAME --run")
    return WaitRequest(
        targets=meant,
        wanted=wanted,
        reference_timeout=_reference_timeout(asked, times.deploy_reference),
        timeout=times.deploy if asked.timeout is None else asked.timeout,
        stable_for=times.stable_for if asked.stable_for is None else asked.stable_for,
        allow_zero=asked.allow_zero,
        newer_ok=asked.newer_ok,
        wait_old_gone=asked.wait_old_gone,
        allow_partial=asked.allow_partial,
        ignore_unready_nodes=asked.ignore_unready_nodes,
        refresh=asked.refresh,
        run=asked.run,
        patience=patience,
        beside=Beside(newer_than(wanted.oid, repository, bring), registry),
        overall=asked.timeout is not None and asked.reference_timeout is None,
        context=context,
        options=asked.options(wanted.oid),
    )


def _reference_timeout(asked: Asked, configured: float) -> float:
    if asked.reference_timeout is not None:
        return asked.reference_timeout
    return configured if asked.timeout is None else min(configured, asked.timeout)


def targets(
    typed: Sequence[str],
    settings: Settings,
    namespace: str | None,
    default_namespace: Callable[[], str],
    *,
    container: str | None = None,
) -> tuple[DeployTarget, ...]:
    """Return the targets typed, else those of the repository file. Raises UsageError where there are none."""
    configured = tuple(
        DeployTarget(
            target.namespace, target.name, target.kind, container or target.container, target.image or own_image
        )
        for own_image in (settings.repository.image,)
        for target in settings.repository.deploy
    )
    if not typed:
        if not configured:
            raise _usage(
                "no deploy target", "name one: homelab deploy wait NS/NAME, or add [[deploy]] to .homelab.toml"
            )
        return configured
    known = {(target.kind, target.slug): target for target in configured}
    meant = (target_of(text, namespace, default_namespace, container) for text in typed)
    return tuple(dict.fromkeys(known.get((target.kind, target.slug), target) for target in meant))


def target_of(
    text: str, namespace: str | None, default_namespace: Callable[[], str], container: str | None = None
) -> DeployTarget:
    """Read ``NS/NAME``, ``NS/KIND/NAME``, or with a namespace given ``NAME`` and ``KIND/NAME``."""
    match text.split("/"):
        case [name] if name:
            return DeployTarget(namespace or default_namespace(), name, container=container)
        case [first, name] if first and name:
            if namespace is not None:
                return DeployTarget(namespace, name, _kind(first, text), container)
            if kind_word(first):
                raise _usage(
                    f"{text}: is {first} a namespace or a kind?",
                    f"homelab deploy wait NS/{text}, or -n {first} {name} for the namespace",
                )
            return DeployTarget(first, name, container=container)
        case [space, word, name] if space and word and name and namespace in (None, space):
            return DeployTarget(space, name, _kind(word, text), container)
    raise _usage(f"{text}: not a target", "write NS/NAME, NS/KIND/NAME, or -n NS KIND/NAME")


def kind_word(word: str) -> str:
    """Return the name of the kind a person means by ``word``, or ""."""
    kind = kind_named(word)
    if kind is not None:
        return kind.name
    lowered = word.lower()
    return next((name for name, (_, plural) in ownership.APIS.items() if lowered in (name, plural)), "")


def _kind(word: str, text: str) -> str:
    kind = kind_word(word)
    if not kind:
        raise _usage(f"{text}: no kind named {word}", "kinds: " + ", ".join([*KINDS, *ownership.APIS]))
    return kind


def _wanted(asked: Asked, settings: Settings, repository: Callable[[], Repository]) -> Wanted:
    if asked.digest and not _DIGEST.fullmatch(asked.digest):
        raise _usage(f"--digest {asked.digest}: not a digest", "sha256: and 64 hex digits")
    digests = frozenset({asked.digest}) if asked.digest else frozenset[str]()
    if asked.image:
        if asked.sha:
            raise _usage("--sha and --image both say what is wanted", "give one of them")
        wanted = parse(asked.image)
        if not wanted.path or not (wanted.tag or wanted.digest):
            raise _usage(f"--image {asked.image}: names no version", "add :TAG or @sha256:DIGEST")
        pinned = frozenset({wanted.digest} - {""})
        return Wanted(image=asked.image, digests=digests | pinned, trust_tag=asked.trust_tag)
    pattern = asked.match or settings.repository.image_match or ""
    try:
        re.compile(pattern.replace("{sha}", "0").replace("{sha12}", "0").replace("{sha7}", "0"))
    except re.error as error:
        raise _usage(
            f"--match {pattern}: {error}", "a regular expression over the whole tag, e.g. 'rel-{sha7}'"
        ) from error
    oid = "" if asked.unknown else _oid(asked.sha, repository)
    return Wanted(oid=oid, digests=digests, pattern=pattern, exact=asked.exact, trust_tag=asked.trust_tag)


def _oid(sha: str | None, repository: Callable[[], Repository]) -> str:
    """Return the full commit; a full one needs no repository."""
    if sha is not None and _FULL.fullmatch(sha):
        return sha.lower()
    if sha is not None and len(sha) < SHORTEST and re.fullmatch(r"[0-9a-fA-F]+", sha):
        raise _usage(f"--sha {sha}: too short to prove anything", f"give at least {SHORTEST} digits")
    return repository().resolve(sha or "HEAD")


def _usage(what: str, fix: str) -> UsageError:
    return UsageError(what, why="nothing was asked of any server", fix=fix)
