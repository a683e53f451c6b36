"""A target that leads to workloads: followed through groups of them, which come to be on the way.

Layer: the deploy domain, beside the group, below the GitOps objects and the scheduled runs.
"""

from __future__ import annotations

from collections.abc import Sequence

from homelab.clock import Clock, Wake
from homelab.deploy.group import POLL_LONGEST, POLL_MOVING, Group
from homelab.deploy.judgement import Expectation, State, Verdict
from homelab.deploy.model import Snapshot
from homelab.deploy.pursuit import Pursuit
from homelab.events import Emit
from homelab.kube.port import Cluster
from homelab.settings.model import DeployTarget


class Composite:
    """What is common to everything that is followed through other objects."""

    def __init__(
        self,
        cluster: Cluster,
        expectation: Expectation,
        *,
        slug: str,
        clock: Clock,
        emit: Emit,
        wake: Wake,
        listening: bool = True,
    ) -> None:
        """Start the reference clock now. Without ``listening`` no watch is opened: for a single look."""
        self.cluster_port, self.expectation, self.slug = cluster, expectation, slug
        self.cluster = cluster.name
        self._clock, self._emit, self._wake, self._listening = clock, emit, wake, listening
        self.began = clock.now()
        self.snapshot = Snapshot(at=self.began, workload=None)
        self.verdict = Verdict(State.REFERENCE, "not looked at yet")
        self.groups: list[Group] = []
        self._since: dict[str, float] = {}

    @property
    def target(self) -> DeployTarget:
        """The target."""
        return self.expectation.target

    @property
    def final(self) -> bool:
        """Say whether waiting longer cannot change the verdict."""
        return self.verdict.state.final

    @property
    def pursuits(self) -> list[Pursuit]:
        """Return the workloads that are followed."""
        return [pursuit for group in self.groups for pursuit in group.pursuits]

    def carrying(self) -> list[Pursuit]:
        """Return the workloads that decide."""
        return self.pursuits

    def start(self) -> None:
        """Nothing to open yet: the watches are those of its workloads."""

    def stop(self) -> None:
        """Close the watches of its workloads."""
        for group in self.groups:
            group.stop()

    def pause(self) -> float:
        """Return the seconds until the next look is due."""
        own = POLL_MOVING if self.verdict.state is not State.REFERENCE else POLL_LONGEST
        return min([own, *(group.pause() for group in self.groups)])

    def look(self) -> bool:
        """Look once; say whether it looked."""
        raise NotImplementedError

    def _pursue(self, pursuits: Sequence[Pursuit]) -> None:
        """Follow these workloads of one namespace from now on."""
        group = Group(self.cluster_port, pursuits, clock=self._clock, emit=self._emit, wake=self._wake)
        self.groups.append(group)
        if self._listening:
            group.start()

    def _stands(self, fact: str, text: str, now: float) -> float:
        """Return for how many seconds ``fact`` has been so without a break; ``text`` "" says that it is not."""
        if not text:
            self._since.pop(fact, None)
            return 0.0
        return now - self._since.setdefault(fact, now)
