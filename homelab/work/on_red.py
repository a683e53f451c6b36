"""``work land --on-red revert``: takes the change back when its CI is red and nobody landed on top of it.

Layer: work domain, above ``land`` and ``revert``.
"""

from __future__ import annotations

from dataclasses import replace

from homelab.app import App
from homelab.errors import HomelabError
from homelab.outcome import Outcome
from homelab.work.events import short
from homelab.work.follow import Waits
from homelab.work.fresh import fetch_target
from homelab.work.land import land
from homelab.work.model import LandRequest
from homelab.work.result import LandResult
from homelab.work.revert import revert


def land_or_revert(app: App, request: LandRequest, waits: Waits) -> LandResult:
    """Land, and revert what landed where its CI is red and it is still the target's tip.

    The answer stays the land's own, red; it says what became of the revert.
    """
    result = land(app, request, waits)
    if result.outcome is not Outcome.CI_RED:
        return result
    return replace(result, details=(*result.details, _revert(app, request, waits, result)))


def _revert(app: App, request: LandRequest, waits: Waits, result: LandResult) -> str:
    try:
        tip = fetch_target(app, remote=request.remote, into=result.target)[2]
    except HomelabError as error:
        return f"not reverted: {error.what}"
    if tip != result.landed_oid:
        return f"not reverted: {result.target} is at {short(tip)} now"
    again = replace(request, into=result.target, strategy=None, resume=False, staged=False, ci=False, deploy=False)
    return f"revert: {revert(app, result.landed_oid, again, waits).first()}"
