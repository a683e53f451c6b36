"""What an Argo CD Application says of itself. Pure.

Fields: argo-cd pkg/apis/application/v1alpha1. An Application has no status subresource, so its generation says
nothing. Layer: the deploy domain, above its model.
"""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime

from homelab.deploy import shape
from homelab.deploy.gitops import windows
from homelab.deploy.model import Condition, GitOps
from homelab.kube.port import Json

IN_CLUSTER = frozenset({"https://kubernetes.default.svc", "https://kubernetes.default.svc.cluster.local"})
#: The controller removes it when it has looked.
REFRESH = "argocd.argoproj.io/refresh"
#: What an operation says while a window holds it (argo-cd controller/sync.go).
BLOCKED = "blocked by sync window"

_COMMIT = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")


def read(item: Json, skew: float = 0.0) -> GitOps:
    """Return the view of an Application."""
    about, spec, status = item.get("metadata") or {}, item.get("spec") or {}, item.get("status") or {}
    sync, state = status.get("sync") or {}, status.get("operationState") or {}
    name, namespace = str(about.get("name") or ""), str(about.get("namespace") or "")
    health = str((status.get("health") or {}).get("status") or "Unknown")
    synced = str(sync.get("status") or "Unknown")
    phase, destination = str(state.get("phase") or ""), spec.get("destination") or {}
    revisions = _revisions(sync)
    errors = [c for c in shape.conditions(status, skew) if c.type.endswith("Error")]
    settled = (
        not item.get("operation")
        and not looking(item)
        and phase in ("", "Succeeded")
        and _newer(status.get("reconciledAt"), state.get("finishedAt"))
        and (synced, health) == ("Synced", "Healthy")
    )
    here = destination.get("server") in IN_CLUSTER or destination.get("name") in ("in-cluster", "")
    return GitOps(
        kind="application",
        namespace=namespace,
        name=name,
        summary=_summary(item, synced, revisions, health, errors),
        revision=",".join(revisions),
        settled=settled,
        stuck=_stuck(item, synced, health),
        failed=_failed(state, health, synced),
        error="; ".join(f"{error.type}: {_line(error.message)}" for error in errors[:1]),
        hint=f"argocd app sync {namespace}/{name}",
        workloads=_workloads(status, str(destination.get("namespace") or "")),
        here=here or not destination,
        commits=_commits(revisions),
        tried=_commits(_revisions(state.get("syncResult") or {})),
        broken=phase in ("Failed", "Error"),
        reverts=heals(spec),
    )


def looking(item: Json) -> bool:
    """Say whether it was asked to look and has not done so yet: what it says is from before."""
    return REFRESH in ((item.get("metadata") or {}).get("annotations") or {})


def waits_for_automation(item: Json) -> bool:
    """Say whether it should be synced by itself and is not: perhaps a sync window of its project holds it."""
    sync = ((item.get("status") or {}).get("sync") or {}).get("status")
    return sync == "OutOfSync" and automated(item.get("spec") or {}) and not item.get("operation")


def held(view: GitOps, item: Json, project: Json, now: datetime) -> GitOps:
    """Return the view with what the project's sync windows say about an automated sync now."""
    holding = windows.holding(project, item, now)
    if holding is None:
        return view
    hint = view.hint if holding.by_hand else f"argocd proj windows list {(item.get('spec') or {}).get('project')}"
    text = f"is OutOfSync and held by {holding.shown}"
    return replace(view, stuck=view.stuck or text, summary=f"{view.summary}, held by {holding.shown}", hint=hint)


def automated(spec: Json) -> bool:
    """Say whether it syncs by itself."""
    policy = (spec.get("syncPolicy") or {}).get("automated")
    return policy is not None and policy.get("enabled") is not False


def heals(spec: Json) -> bool:
    """Say whether it puts back what somebody changed by hand."""
    return automated(spec) and bool(spec["syncPolicy"]["automated"].get("selfHeal"))


def _revisions(said: Json) -> tuple[str, ...]:
    """Return ``revisions`` of several sources, or the one ``revision``."""
    several = said.get("revisions") or ([said["revision"]] if said.get("revision") else [])
    return tuple(str(revision) for revision in several if revision)


def _commits(revisions: tuple[str, ...]) -> tuple[str, ...]:
    """Leave out what is no commit: a chart's version."""
    return tuple(revision for revision in revisions if _COMMIT.fullmatch(revision))


def _workloads(status: Json, namespace: str) -> tuple[tuple[str, str, str], ...]:
    return tuple(
        (str(r.get("kind")).lower(), str(r.get("namespace") or namespace), str(r["name"]))
        for r in status.get("resources") or []
        if r.get("name")
    )


def _summary(item: Json, synced: str, revisions: tuple[str, ...], health: str, errors: list[Condition]) -> str:
    """Say where it stands: sync state and commit, health, the operation, what went wrong, the policy."""
    spec, state = item.get("spec") or {}, (item.get("status") or {}).get("operationState") or {}
    at = f" at {','.join(revision[:12] for revision in revisions)}" if revisions else ""
    clauses = [f"{synced}{at}", health]
    phase, message = str(state.get("phase") or ""), _line(state.get("message"))
    if item.get("operation"):
        clauses.append("a sync is asked for")
    if phase == "Running":
        clauses.append("sync is running" + (f": {message}" if message else ""))
    elif phase not in ("", "Succeeded"):
        clauses.append(f"last sync {phase}" + (f": {message}" if message else ""))
    clauses += [f"{error.type}: {_line(error.message)}" for error in errors[:1]]
    clauses += ["looking now"] if looking(item) else []
    clauses.append("syncs by itself" if automated(spec) else "syncs by hand")
    return ", ".join(clauses)


def _line(text: object) -> str:
    return " ".join(str(text or "").split())[:160]


def _newer(later: object, earlier: object) -> bool:
    """Say whether the state was reconciled after the last sync; before, it describes what was there before."""
    one, other = shape.moment(later), shape.moment(earlier)
    return other is None or (one is not None and one >= other)


def _stuck(item: Json, synced: str, health: str) -> str:
    state = (item.get("status") or {}).get("operationState") or {}
    if health == "Suspended":
        return "is suspended"
    if state.get("phase") == "Running" and BLOCKED in str(state.get("message") or ""):
        return "has a sync that a sync window holds"
    if synced == "OutOfSync" and not automated(item.get("spec") or {}) and not item.get("operation"):
        return "" if state.get("phase") == "Running" else "is OutOfSync and syncs only by hand"
    return ""


def _failed(state: Json, health: str, synced: str) -> str:
    if state.get("phase") in ("Failed", "Error"):
        return f"sync {state['phase']}: {_line(state.get('message'))}"
    return "health Degraded" if health == "Degraded" and synced != "OutOfSync" else ""
