"""The verdicts before the template names the wanted image: absent, old, undecided, stuck. Pure.

Layer: the deploy domain, below the verdict.
"""

from __future__ import annotations

from homelab.deploy.identity import Identity, Standing
from homelab.deploy.judgement import Expectation, Memory, Proof, State, Verdict
from homelab.deploy.kinds.table import KINDS
from homelab.deploy.model import Snapshot, Workload
from homelab.registry.reference import parse

#: A workload that vanished during its rollout may be on its way back (a replacing sync).
GONE_SECONDS = 30.0
#: What an owner says must stand this long before it is a person's turn.
STUCK_SECONDS = 30.0


def absent(expectation: Expectation, memory: Memory, now: float) -> Verdict:
    """Judge a workload that is not there: perhaps not yet, perhaps no longer."""
    since = memory.standing.get("absent", now)
    if memory.reached and memory.last is not None and KINDS[memory.last.kind].finished(memory.last):
        return Verdict(State.COMPLETE, "complete, and cleaned up since, proof: counters", proof=Proof.COUNTERS)
    if memory.reached:
        left = since + GONE_SECONDS - now
        if left <= 0:
            return Verdict(State.FAILED, "it was deleted during its rollout", reason="gone")
        return Verdict(State.PROGRESSING, "it is gone; waiting for its return", again=left)
    left = memory.began + expectation.reference_timeout - now
    if left > 0:
        return Verdict(State.REFERENCE, "no such workload yet", again=left)
    target = expectation.target
    return Verdict(
        State.ABSENT,
        f"no such {target.kind} after {expectation.reference_timeout:.0f} s",
        reason="absent",
        hint=f"kubectl get {KINDS[target.kind].plural} -n {target.namespace}",
    )


def unreferenced(
    snapshot: Snapshot, identity: Identity, expectation: Expectation, memory: Memory, now: float
) -> Verdict:
    """Judge a template that does not name the wanted image."""
    workload = snapshot.workload
    assert workload is not None
    wanted, live = expectation.wanted.shown, identity.live
    if identity.standing is not Standing.NOT:
        return _undecided(identity, expectation, now, reached=memory.reached)
    if memory.reached:
        moved = f"the template moved on from {wanted} to {live}{_unsure(identity)}"
        target = (
            workload.slug if workload.kind == "deployment" else f"{workload.namespace}/{workload.kind}/{workload.name}"
        )
        return Verdict(State.SUPERSEDED, moved, reason="moved", hint=f"homelab deploy history {target}")
    stuck = _stuck(snapshot, memory, now)
    if stuck is not None:
        return stuck
    left = memory.began + expectation.reference_timeout - now
    if left > 0:
        return Verdict(State.REFERENCE, f"wants {wanted}, template has {live}", again=left)
    return _never_named(workload, identity, expectation)


def _never_named(workload: Workload, identity: Identity, expectation: Expectation) -> Verdict:
    """Say what the template has instead, and who could not tell what that is."""
    within = f"{expectation.reference_timeout:.0f} s"
    said = f"the template never named {expectation.wanted.shown} in {within}; it has {identity.live}{_unsure(identity)}"
    hint = f"kubectl get {workload.kind}/{workload.name} -n {workload.namespace} -o yaml"
    if expectation.known.unanswered and any(parse(container.image).digest for container in identity.containers):
        said = f"{said}, and no registry says what that is{_why(expectation)}"
        hint = expectation.again("--digest", "DIGEST")
    return Verdict(State.REFERENCE_TIMEOUT, said, reason="reference", hint=hint)


def _unsure(identity: Identity) -> str:
    """Say where ancestry cannot be known: a commit that is not here, or a history that was cut."""
    return "; whether that contains it is not known here" if identity.unknown else ""


def _stuck(snapshot: Snapshot, memory: Memory, now: float) -> Verdict | None:
    """Return a person's turn when the template's owner will not move by itself."""
    owner = snapshot.gitops
    if owner is None or not owner.stuck or now - memory.standing.get("gitops", now) < STUCK_SECONDS:
        return None
    return Verdict(State.NEEDS_ACTION, f"{owner.shown} {owner.stuck}", reason="gitops", hint=owner.hint)


def _why(expectation: Expectation) -> str:
    return f": {expectation.known.unanswered}" if expectation.known.unanswered else ""


def _undecided(identity: Identity, expectation: Expectation, now: float, *, reached: bool) -> Verdict:
    """Say what stands between the template and the wanted image, where waiting cannot help."""
    wanted = expectation.wanted.shown
    if identity.standing is Standing.NEWER:
        live = f"the template moved on to {identity.live}" if reached else f"live is {identity.live}"
        return Verdict(
            State.SUPERSEDED,
            f"{live}, which contains {wanted}",
            reason="newer",
            hint=expectation.again("--newer-ok"),
        )
    until = expectation.known.asking_until
    if identity.standing is Standing.HINT and until is not None:
        return Verdict(State.REFERENCE, f"the tag says {wanted}; asking the registry for its digest", again=until - now)
    if identity.standing is Standing.HINT:
        return Verdict(
            State.NEEDS_ACTION,
            f"the tag says {wanted}, the digest beside it decides and is not verified{_why(expectation)}",
            reason="unverified",
            hint=f"{expectation.again('--trust-tag')}  # or, surer: --digest and what CI pushed",
        )
    names = ", ".join(container.name for container in identity.containers)
    choose = expectation.again("--container", identity.containers[0].name if identity.containers else "NAME")
    what = "several images match" if identity.standing is Standing.AMBIGUOUS else "no such container"
    return Verdict(State.AMBIGUOUS, f"{what}; containers: {names}", reason="container", hint=choose)
