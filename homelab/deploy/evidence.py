"""What a red wait shows: the most telling things first, little enough to read.

Layer: the deploy domain, above verdict and pursuit; reads events and logs through the port.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from http import HTTPStatus

from homelab.deploy.group import Group
from homelab.deploy.judgement import State, Trouble, Verdict
from homelab.deploy.kinds.table import KINDS
from homelab.deploy.model import ContainerStatus, Happening, Pod, Snapshot, Workload
from homelab.deploy.pursuit import Pursuit
from homelab.deploy.signals import short_cause
from homelab.errors import HomelabError, HttpStatus
from homelab.kube.port import Cluster

PODS_SHOWN = 3
EVENTS_SHOWN = 6
LOG_LINES = 20
LINE_WIDTH = 200
#: All evidence of one target together, in characters.
BUDGET = 2400
#: Events that only repeat a waiting state's name.
SAYING_NOTHING = frozenset({"Error: ImagePullBackOff", "Error: ErrImagePull"})

_SECRET = re.compile(
    r"(?i)(authorization:\s*(?:bearer|basic)\s+|bearer\s+|\b[\w.-]*(?:token|password|passwd|secret|api[_-]?key)\b[\"']?\s*[=:]\s*[\"']?)"
    r"[^\s\"',;]+"
)


def redact(text: str) -> str:
    """Return ``text`` with what looks like a credential blotted out: logs are somebody else's words."""
    return _SECRET.sub(r"\1***", text)


def gather(pursuit: Pursuit, group: Group) -> tuple[str, ...]:
    """Return the evidence lines for a verdict that is not green."""
    snapshot, verdict = pursuit.snapshot, pursuit.verdict
    workload = snapshot.workload
    lines: list[str] = []
    if workload is not None:
        lines += _live(workload, snapshot, verdict)
        lines += _pods(snapshot, verdict.troubles)
        lines += _claims(group.cluster, workload, snapshot, verdict.troubles)
        lines += _logs(group.cluster, workload, snapshot, verdict.troubles)
        if verdict.state in (State.FAILED, State.TIMEOUT):
            lines += _events(_fresh_events(pursuit, group, workload))
            lines += _conditions(workload)
    if snapshot.gitops is not None:
        lines.append(f"{snapshot.gitops.shown}: {snapshot.gitops.summary}")
    if verdict.hint:
        lines.append(f"next: {verdict.hint}")
    return tuple(_within_budget(lines))


def _live(workload: Workload, snapshot: Snapshot, verdict: Verdict) -> list[str]:
    """Say what is wanted and what is there."""
    images = "  ".join(f"{c.name}={c.image}" for c in workload.containers)
    revision = KINDS[workload.kind].current(snapshot)
    about = [f"revision {workload.revision}"] if workload.revision else []
    about += [revision.name] if revision else []
    about.append(f"generation {workload.generation}/{workload.observed} observed")
    lines = [f"template: {images}"]
    if verdict.state not in (State.REFERENCE, State.REFERENCE_TIMEOUT):
        lines.append(f"rollout: {', '.join(about)}; {workload.counters.text(workload.want)}")
    return lines


def _pods(snapshot: Snapshot, troubles: Iterable[Trouble]) -> list[str]:
    """Describe the troubled pods: the first few, then how many more are alike."""
    pods = {pod.name: pod for pod in snapshot.pods or ()}
    shown = list({trouble.pod: trouble for trouble in troubles}.values())
    lines = [_pod(trouble, pods.get(trouble.pod), snapshot.at) for trouble in shown[:PODS_SHOWN]]
    if len(shown) > PODS_SHOWN:
        lines.append(f"and {len(shown) - PODS_SHOWN} more pods like these")
    return lines


def _pod(trouble: Trouble, pod: Pod | None, now: float) -> str:
    if pod is None:
        return f"pods: {trouble.reason}: {_short(trouble.message)}"
    age = f", {now - pod.created:.0f}s old" if pod.created is not None else ""
    node = f" on {pod.node}" if pod.node else ""
    status = next((c for c in pod.containers if c.name == trouble.container), None)
    container = f" {'init ' if trouble.init else ''}{trouble.container}:" if trouble.container else ""
    ended = _ended(status) if status else ""
    message = short_cause(trouble.message, trouble.image) if trouble.image else trouble.message
    text = f": {_short(message)}" if message else ""
    return f"pod {pod.name}{node}{age}:{container} {trouble.reason}{ended}{text}"


def _ended(status: ContainerStatus) -> str:
    ended = status.ended or status.last
    parts = [f"{status.restarts} restarts"] if status.restarts else []
    if ended is not None:
        parts.append(f"last exit {ended.code}" + (f" ({ended.reason})" if ended.reason else ""))
    return f" ({', '.join(parts)})" if parts else ""


def _claims(cluster: Cluster, workload: Workload, snapshot: Snapshot, troubles: Iterable[Trouble]) -> list[str]:
    """Return the phase of each claim that a pod with volume trouble mounts, where it may be read."""
    stuck = {trouble.pod for trouble in troubles if trouble.kind == "volume"}
    claims = sorted({claim for pod in snapshot.pods or () if pod.name in stuck for claim in pod.claims})
    lines = []
    for claim in claims[:PODS_SHOWN]:
        try:
            found = cluster.get(f"/api/v1/namespaces/{workload.namespace}/persistentvolumeclaims/{claim}")
        except HttpStatus as error:
            lines.append(f"claim {claim}: " + ("not there" if error.status == HTTPStatus.NOT_FOUND else error.what))
        except HomelabError:
            return lines
        else:
            lines.append(f"claim {claim}: {(found.get('status') or {}).get('phase') or 'no phase'}")
    return lines


def _logs(cluster: Cluster, workload: Workload, snapshot: Snapshot, troubles: Iterable[Trouble]) -> list[str]:
    """Return the last lines of the first container that ran and ended."""
    pods = {pod.name: pod for pod in snapshot.pods or ()}
    for trouble in troubles:
        pod = pods.get(trouble.pod)
        if pod is None or trouble.kind not in ("crash", "start", "readiness"):
            continue
        text = _log_text(cluster, workload.namespace, trouble)
        lines = [redact(line)[:LINE_WIDTH] for line in text.splitlines() if line.strip()][-LOG_LINES:]
        if lines:
            return [f"log of {pod.name}/{trouble.container}:", *(f"  {line}" for line in lines)]
    return []


def _log_text(cluster: Cluster, namespace: str, trouble: Trouble) -> str:
    """Read the crashed run's log, else the current one; "" where there is neither or it is forbidden."""
    for previous in (True, False) if trouble.restarts else (False,):
        try:
            text = cluster.logs(namespace, trouble.pod, trouble.container, previous=previous, tail=LOG_LINES)
        except HttpStatus:
            continue
        except HomelabError:
            return ""
        if text.strip():
            return text
    return ""


def _fresh_events(pursuit: Pursuit, group: Group, workload: Workload) -> tuple[Happening, ...]:
    try:
        group.observer.read_events({pursuit.target: workload})
    except HomelabError:
        return pursuit.snapshot.events or ()
    return group.observer.known_events(pursuit.target) or ()


def _events(events: tuple[Happening, ...]) -> list[str]:
    """Return the newest warnings, the same ones merged."""
    merged: dict[tuple[str, str], tuple[int, float]] = {}
    for event in events:
        if event.type == "Normal" or event.message in SAYING_NOTHING:
            continue
        key = (event.reason, event.message)
        count, last = merged.get(key, (0, 0.0))
        merged[key] = (count + event.count, max(last, event.last or 0.0))
    newest = sorted(merged.items(), key=lambda item: item[1][1], reverse=True)[:EVENTS_SHOWN]
    return [
        f"event: {reason}" + (f" x{count}" if count > 1 else "") + f": {_short(message)}"
        for (reason, message), (count, _) in newest
    ]


def _conditions(workload: Workload) -> list[str]:
    return [
        f"condition: {condition.type}={condition.status} {condition.reason}: {_short(condition.message)}"
        for condition in workload.conditions
        if condition.status != "True" and condition.type != "ReplicaFailure"
    ]


def _short(text: str) -> str:
    line = redact(" ".join(text.split()))
    return line if len(line) <= LINE_WIDTH else f"{line[: LINE_WIDTH - 1]}…"


def _within_budget(lines: list[str]) -> list[str]:
    """Drop from the middle until it fits: the first lines say what, the last says what to do."""
    kept = list(lines)
    while sum(len(line.encode()) + 1 for line in kept) > BUDGET and len(kept) > 2:  # noqa: PLR2004 -- first and last stay
        kept.pop(-2)
    return kept
