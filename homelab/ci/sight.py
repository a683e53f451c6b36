"""What one look saw, on one server or on several. Pure. Layer: ci, above model and verdict."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from homelab.ci.model import Pipeline
from homelab.ci.verdict import Quiet


@dataclass(frozen=True, slots=True)
class Sight:
    """What one look saw."""

    #: The runs that count, newest first, with workflows; a replaced one that was followed is not among them.
    runs: tuple[Pipeline, ...] = ()
    #: Runs of the commit that were not asked for.
    others: tuple[Pipeline, ...] = ()
    #: Runs that were seen and are gone, as they were.
    vanished: tuple[Pipeline, ...] = ()
    #: Runs that the server lists and does not show: it is in trouble, nothing follows from this look.
    hidden: tuple[Pipeline, ...] = ()
    #: Replaced runs that were followed, each with the run in its place.
    followed: tuple[tuple[Pipeline, Pipeline], ...] = ()
    #: For how long it stayed the same: watched ourselves, and by the server's stamps.
    quiet: Quiet = field(default_factory=Quiet)
    stamped: Quiet = field(default_factory=Quiet)


def together(sights: Sequence[Sight]) -> Sight:
    """Return several servers' sights as one: its quiet is that of the least quiet one with runs."""
    seen = [sight for sight in sights if sight.runs]
    return Sight(
        runs=tuple(run for sight in sights for run in sight.runs),
        others=tuple(run for sight in sights for run in sight.others),
        vanished=tuple(run for sight in sights for run in sight.vanished),
        hidden=tuple(run for sight in sights for run in sight.hidden),
        followed=tuple(pair for sight in sights for pair in sight.followed),
        quiet=_least([sight.quiet for sight in seen]),
        stamped=_least([sight.stamped for sight in seen]),
    )


def _least(quiets: Sequence[Quiet]) -> Quiet:
    if not quiets:
        return Quiet()
    return Quiet(members=min(quiet.members for quiet in quiets), states=min(quiet.states for quiet in quiets))
