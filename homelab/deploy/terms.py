"""The terms of a wait: what must run, how long that may take, what is let pass. They hold for every target.

Layer: the deploy domain, just above its references.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from homelab.deploy.ancestry import Newer, nothing_newer
from homelab.deploy.digests import Digests
from homelab.deploy.gitops.delivery import GitOpsCommit
from homelab.deploy.reference import Wanted


class Patience(StrEnum):
    """How soon a pod that cannot start ends the wait."""

    NORMAL = "normal"
    #: Only the deadline.
    PATIENT = "patient"
    #: At the first sign.
    NONE = "fail-fast"


@dataclass(frozen=True, slots=True)
class Beside:
    """Who is asked beside the cluster: the repository about ancestry, a registry about digests."""

    newer: Newer = nothing_newer
    registry: Digests | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What every target of one wait must become; times in seconds."""

    wanted: Wanted
    reference_timeout: float = 300.0
    timeout: float = 900.0
    stable_for: float = 10.0
    allow_zero: bool = False
    newer_ok: bool = False
    wait_old_gone: bool = False
    allow_partial: bool = False
    ignore_unready_nodes: bool = False
    #: Ask the GitOps owner to look at its repository now.
    refresh: bool = False
    #: The commit of the GitOps repository that the owner must have applied; None: none was asked for.
    gitops: GitOpsCommit | None = None
    patience: Patience = Patience.NORMAL
    #: Asked before a judgement, never by it.
    beside: Beside = field(default_factory=Beside)
    #: ``timeout`` is the deadline of the whole wait, counted from its begin, instead of the rollout's alone.
    overall: bool = False
