"""The rollout after a land, when the target moves on meanwhile: a live commit that holds ours runs our change.

Unless it took the change back: then it holds the commit and not what it did.
Layer: work domain, composition; uses ``deploy``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from homelab.deploy.reference import likely_commits
from homelab.deploy.request import DeployResult, TargetResult
from homelab.errors import HomelabError
from homelab.events import Emit, Notice
from homelab.git.port import Repository
from homelab.git.runner import Git
from homelab.outcome import Outcome
from homelab.registry.reference import parse
from homelab.work.events import short

#: Waits for the rollout; True: a newer commit that contains the wanted one will do.
Ask = Callable[[bool], DeployResult]


@dataclass(frozen=True, slots=True)
class Contained(DeployResult):
    """A finished rollout of a commit that contains the landed one."""

    def record(self) -> dict[str, Any]:
        """Return all targets, and that it is not the landed commit itself which runs."""
        return {**DeployResult.record(self), "contained": True}


def rollout(oid: str, ask: Ask, undone: Callable[[str], bool], emit: Emit) -> DeployResult:
    """Wait for ``oid``, or for what replaced it where that contains it and ``undone`` does not say no of the image."""
    exact = ask(False)
    if exact.outcome is not Outcome.SUPERSEDED:
        return exact
    moved = [target for target in exact.targets if target.outcome is Outcome.SUPERSEDED]
    if not all(target.reason == "newer" for target in moved):
        return exact
    if any(undone(image) for target in moved for image in target.live.values()):
        return replace(exact, headline=f"{exact.headline} and takes it back", targets=tuple(map(_final, exact.targets)))
    emit(Notice(about="deploy", text=f"{exact.headline}; waiting for that"))
    newer = ask(True)
    if newer.outcome is not Outcome.DONE:
        return newer
    return Contained(newer.outcome, f"{newer.headline}; it holds {short(oid)}", targets=newer.targets)


def _final(target: TargetResult) -> TargetResult:
    """Name a look instead of a wait: to accept the newer commit would be to accept that the change is gone."""
    if target.reason != "newer":
        return target
    look = f"homelab deploy status {target.target}"
    return replace(target, hint=look, evidence=tuple(line for line in target.evidence if target.hint not in line))


def taken_back(repository: Repository, git: Git, oid: str, was: str) -> Callable[[str], bool]:
    """Return whether all that ``was..oid`` changed is as before in the commits an image names; unknown ones: no."""

    def undone(image: str) -> bool:
        return any(_as_before(found) for found in _commits(repository, image))

    def _as_before(newer: str) -> bool:
        paths = git.records("diff", "--name-only", "--no-renames", "-z", was, oid) if was else []
        if not paths:
            return False
        there = git.read("--literal-pathspecs", "diff", "--quiet", "--no-ext-diff", was, newer, "--", *paths)
        return there.code == 0

    return undone


def _commits(repository: Repository, image: str) -> list[str]:
    found = []
    for name in likely_commits(parse(image).tag):
        try:
            found.append(repository.resolve(name))
        except HomelabError:
            continue
    return found
