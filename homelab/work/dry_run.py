"""``work land --dry-run``: the plan, as far as it can be known without touching a ref or a file.

Layer: work domain.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from homelab.app import App
from homelab.errors import HomelabError
from homelab.git.remote_end import RemoteEnd
from homelab.outcome import Outcome
from homelab.result import Result
from homelab.trust.approval import repository_key
from homelab.work import proof
from homelab.work.events import short
from homelab.work.model import LandRequest, Phase, Plan
from homelab.work.prepare import find, plan_land
from homelab.work.result import LandResult, failure
from homelab.work.status import next_step


@dataclass(frozen=True, slots=True)
class Planned(Result):
    """What a land would do now."""

    facts: tuple[tuple[str, str], ...] = ()

    def lines(self) -> list[str]:
        """Return a line a fact; the first says that nothing moved."""
        return ["NOT LANDED: a dry run moves nothing", *(f"{name}: {text}" for name, text in self.facts)]

    def record(self) -> dict[str, Any]:
        """Return the facts by name."""
        return {"landed": False, "plan": dict(self.facts)}


def dry_run(app: App, request: LandRequest) -> Planned | LandResult:
    """Return the plan, or why a land would be refused; changes nothing."""
    try:
        found = find(app)
        if found.state is not None:
            step = next_step(found.state)
            facts = (("unfinished", f"phase {found.state.phase}: {step.headline}"), ("then", step.command))
            return Planned(Outcome.DONE, "an unfinished land would go on", facts=facts)
        end, plan = plan_land(app, request, found, approve=False)
        return Planned(Outcome.DONE, "this is the plan", facts=tuple(_facts(app, request, end, plan)))
    except HomelabError as error:
        return failure(error, phase=Phase.PREFLIGHT, state=None, target="")


def _facts(app: App, request: LandRequest, end: RemoteEnd, plan: Plan) -> Iterator[tuple[str, str]]:
    tip = end.tip(plan.target)
    base = tip.oid or ""
    yield "target", f"{plan.target_name} on {plan.remote} ({end.url.shown})"
    yield "base", short(base) if base else ("absent" if tip.reached else "the remote did not answer")
    yield "branch", f"{plan.branch} at {short(plan.checkout.head)}"
    yield "push", _push(app, plan, base)
    yield "strategy", plan.strategy.value
    yield "verify", _verify(app, request, plan)
    yield "ci", "watched to its verdict" if request.ci else "not watched"
    targets = ", ".join(one.slug for one in app.settings.repository.deploy)
    yield "deploy", (targets or "no targets") if request.deploy else "not waited for"


def _push(app: App, plan: Plan, base: str) -> str:
    git, head = app.git, plan.checkout.head
    if not base or git.read("cat-file", "-e", f"{base}^{{commit}}").code != 0:
        return "the base is not here yet; what it changes is seen after a fetch"
    how = proof.landed_how(git, plan.checkout.common_dir, head, base)
    if how:
        return f"nothing: {how}"
    count = git.text("rev-list", "--count", f"{base}..{head}")
    ended = git.read("merge-tree", "--write-tree", "-z", "--name-only", "--no-messages", base, head)
    paths = [part for part in ended.out.split("\0") if part][1:]
    if ended.code == 1:
        return f"{count} commits, in conflict over {', '.join(dict.fromkeys(paths))}"
    if git.read("merge-base", "--is-ancestor", base, head).code == 0:
        return f"{count} commits on top of the base"
    return f"{count} commits, merging cleanly with the base"


def _verify(app: App, request: LandRequest, plan: Plan) -> str:
    if plan.command is None:
        return "SKIPPED by --no-verify-land"
    where = "in a clean copy" if request.scratch else "in this worktree"
    text = f"{plan.command.shown} ({plan.command.origin}, {where})"
    if plan.command.origin != ".homelab.toml":
        return text
    approved = app.trust.approved(repository_key(app.repository), plan.command.text)
    return f"{text}, {'approved' if approved else 'NOT approved: homelab trust'}"
