"""What happens while ``deploy`` waits. Layer: the deploy domain, above the vocabulary."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from homelab.deploy.signals import short_cause
from homelab.events import Event


@dataclass(frozen=True, slots=True)
class TargetEvent(Event):
    """Something about one target (``namespace/name``)."""

    target: str

    @property
    def subject(self) -> str:
        """The target is the row."""
        return self.target


@dataclass(frozen=True, slots=True)
class ReferenceAwaited(TargetEvent):
    """The template does not name the wanted image yet."""

    kind: ClassVar[str] = "deploy.reference.awaited"
    wanted: str
    #: What the template has, or why there is none.
    live: str

    def sentence(self) -> str:
        """Say wanted against live."""
        return f"wants {self.wanted}, template has {self.live}"


@dataclass(frozen=True, slots=True)
class WorkloadAwaited(TargetEvent):
    """The workload does not exist (yet, or any more)."""

    kind: ClassVar[str] = "deploy.workload.awaited"
    wanted: str

    def sentence(self) -> str:
        """Say that it is not there."""
        return f"wants {self.wanted}, no such workload yet"


@dataclass(frozen=True, slots=True)
class GitOpsSeen(TargetEvent):
    """Where the change hangs while the template does not name the image: what the GitOps tool says."""

    kind: ClassVar[str] = "deploy.gitops.seen"
    owner: str
    summary: str
    #: The commit of the GitOps repository it applied last.
    revision: str
    stuck: str

    def sentence(self) -> str:
        """Say who owns the template, and how that stands."""
        return f"{self.owner}: {self.summary}"


@dataclass(frozen=True, slots=True)
class GitOpsAsked(TargetEvent):
    """The GitOps tool was asked to look at its repository now."""

    kind: ClassVar[str] = "deploy.gitops.asked"
    owner: str
    #: Why it could not be asked, or "".
    refused: str

    def sentence(self) -> str:
        """Say whom, or why not."""
        return f"could not ask {self.owner}: {self.refused}" if self.refused else f"asked {self.owner} to look now"


@dataclass(frozen=True, slots=True)
class WorkloadReplaced(TargetEvent):
    """The object was deleted and made anew under its name: the wait starts over with it."""

    kind: ClassVar[str] = "deploy.workload.replaced"
    uid: str

    def sentence(self) -> str:
        """Say so."""
        return "replaced by a new object; starting over with it"


@dataclass(frozen=True, slots=True)
class ReferenceNamed(TargetEvent):
    """The live template names the wanted image."""

    kind: ClassVar[str] = "deploy.reference.named"
    wanted: str
    #: The workload's revision, or "".
    revision: str
    #: By which rule the tag names it.
    match: str
    #: What it names instead where that is newer and contains the wanted one, else "".
    newer: str = ""

    def sentence(self) -> str:
        """Say it, with the revision."""
        named = f"{self.newer}, which contains {self.wanted}" if self.newer else self.wanted
        return f"template names {named}" + (f", revision {self.revision}" if self.revision else "")


@dataclass(frozen=True, slots=True)
class RolloutMoved(TargetEvent):
    """The rollout's own sentence changed."""

    kind: ClassVar[str] = "deploy.rollout.moved"
    detail: ClassVar[bool] = True
    state: str
    said: str

    def sentence(self) -> str:
        """Repeat the verdict's sentence."""
        return self.said


@dataclass(frozen=True, slots=True)
class PodTroubled(TargetEvent):
    """A new kind of trouble on a container, or on the making of pods."""

    kind: ClassVar[str] = "deploy.pod.troubled"
    trouble: str
    pod: str
    container: str
    image: str
    reason: str
    message: str
    #: Seconds until it counts as failed; None: only the deadline decides.
    grace: float | None

    def sentence(self) -> str:
        """Say what is wrong, short: the image for a pull, the container otherwise."""
        pulling = self.trouble.startswith("image")
        about = self.image if pulling else (self.container or self.pod or "pods")
        text = short_cause(self.message, self.image) if pulling else " ".join(self.message.split())
        return f"{about}: {self.reason}" + (f": {text[:120]}" if text else "")


@dataclass(frozen=True, slots=True)
class ImageRewritten(TargetEvent):
    """An admission webhook sent the pods to a mirror; the same version, from another registry."""

    kind: ClassVar[str] = "deploy.image.rewritten"
    detail: ClassVar[bool] = True
    rewrite: str

    def sentence(self) -> str:
        """Say from which to which."""
        return f"pods run a mirror's image: {self.rewrite}"


@dataclass(frozen=True, slots=True)
class ProofSkipped(TargetEvent):
    """RBAC denies a proof; the wait goes on with less."""

    kind: ClassVar[str] = "deploy.proof.skipped"
    text: str

    def sentence(self) -> str:
        """Say which proof, and why."""
        return self.text


@dataclass(frozen=True, slots=True)
class ControllerSilent(TargetEvent):
    """The controller has not looked at the spec for a while: it may be down."""

    kind: ClassVar[str] = "deploy.controller.silent"
    generation: int

    def sentence(self) -> str:
        """Say which generation waits."""
        return f"its controller has not seen generation {self.generation}"


@dataclass(frozen=True, slots=True)
class RegistryUnanswered(TargetEvent):
    """No registry says a digest for the version; the wait goes on with less proof."""

    kind: ClassVar[str] = "deploy.registry.unanswered"
    detail: ClassVar[bool] = True
    why: str

    def sentence(self) -> str:
        """Say which proof is missing, and why."""
        return f"no digest proof: {self.why}"


@dataclass(frozen=True, slots=True)
class ClusterUnanswered(TargetEvent):
    """The API server does not answer; the wait goes on for a while."""

    kind: ClassVar[str] = "deploy.cluster.unanswered"
    why: str

    def sentence(self) -> str:
        """Say why."""
        return f"{self.why}; still trying"


@dataclass(frozen=True, slots=True)
class TargetDecided(TargetEvent):
    """One of several targets has its verdict."""

    kind: ClassVar[str] = "deploy.target.decided"
    state: str
    said: str
    exit_code: int

    @property
    def ended(self) -> bool | None:
        """A verdict ends the target's row."""
        return self.exit_code == 0

    def sentence(self) -> str:
        """Repeat the verdict."""
        return self.said
