"""How long a run usually takes: the middle of its last green likes. Layer: ci, above the port."""

from __future__ import annotations

from statistics import median

from homelab.ci.model import Pipeline, State
from homelab.ci.port import CiRepository
from homelab.errors import HomelabError

#: How many green runs are looked at, of how many recent ones.
LIKES, RECENT = 5, 25


def usual(ci: CiRepository, run: Pipeline) -> int:
    """Return the seconds its last green likes took; 0 when there are none, or they cannot be had.

    A branch without any is like the others: a new topic runs the same workflows.
    """
    try:
        return _usual(ci, run, run.branch) or (_usual(ci, run, "") if run.branch else 0)
    except HomelabError:
        return 0


def _usual(ci: CiRepository, run: Pipeline, branch: str) -> int:
    recent = ci.recent(RECENT, event=run.event, branch=branch, state=State.SUCCESS)
    likes = [one.seconds for one in recent if one.source == run.source and one.seconds and one.number != run.number]
    return int(median(likes[:LIKES])) if likes else 0
