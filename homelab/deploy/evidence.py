"""What a red wait shows: the most telling things first, little enough to read.

Layer: the deploy domain, above verdict and pursuit; reads events and logs through the port.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from http import HTTPStatus

from homelab.deploy.ages import ago
from homelab.deploy.group import Group
from homelab.deploy.happenings import merged
from homelab.deploy.judgement import State, Trouble, Verdict
from homelab.deploy.kinds.table import KINDS
from homelab.deploy.model import Happening, Snapshot, Workload
from homelab.deploy.next_command import in_its_cluster
from homelab.deploy.pod_lines import LINE_WIDTH, PODS_SHOWN, pod_lines, short
from homelab.deploy.pursuit import Pursuit
from homelab.deploy.redaction import redact
from homelab.errors import HomelabError, HttpStatus, PermissionMissing
from homelab.kube.port import Cluster

EVENTS_SHOWN = 10
LOG_LINES = 20
LOG_WIDTH = 400
#: All evidence of one target together, in bytes; and the parts of what the facts leave of it.
BUDGET = 2400
EVENTS_PART, CONDITIONS_PART = 0.4, 0.15
#: Events that only repeat a waiting state's name.
SAYING_NOTHING = frozenset({"Error: ImagePullBackOff", "Error: ErrImagePull"})


def gather(pursuit: Pursuit, group: Group) -> tuple[str, ...]:
    """Return the evidence lines for a verdict that is not green, within :data:`BUDGET`."""
    snapshot, verdict = pursuit.snapshot, pursuit.verdict
    workload = snapshot.workload
    owner = snapshot.gitops
    last = [f"{owner.shown}: {owner.summary}"] if owner is not None else []
    last += [f"next: {in_its_cluster(verdict.hint, pursuit.expectation)}"] if verdict.hint else []
    if workload is None:
        return tuple(last)
    first = _live(workload, pursuit) + pod_lines(snapshot, verdict.troubles)
    first += _claims(group.cluster, workload, snapshot, verdict.troubles)
    left = max(BUDGET - _size([*first, *last]), 0)
    happened: list[str] = []
    if verdict.state in (State.FAILED, State.TIMEOUT):
        events = _about(_fresh_events(pursuit, group, workload), snapshot, verdict)
        happened = _fitting(_events(events), int(left * EVENTS_PART))
        happened += _fitting(_conditions(workload), int(left * CONDITIONS_PART))
    title, *lines = _logs(group.cluster, workload, snapshot, verdict.troubles) or [""]
    # Of a log the last lines say most.
    kept = _fitting(lines[::-1], left - _size([title, *happened]))[::-1]
    return (*first, *([title] if title else []), *kept, *happened, *last)


def _size(lines: Iterable[str]) -> int:
    return sum(len(line.encode()) + 1 for line in lines)


def _fitting(lines: Sequence[str], budget: int) -> list[str]:
    """Return as many of the first lines as fit."""
    kept: list[str] = []
    for line in lines:
        budget -= len(line.encode()) + 1
        if budget < 0:
            break
        kept.append(line)
    return kept


def _live(workload: Workload, pursuit: Pursuit) -> list[str]:
    """Say what is wanted and what is there; of a template that is not ours also whose, and since when."""
    snapshot, wanted = pursuit.snapshot, pursuit.expectation.wanted.shown
    images = "  ".join(f"{c.name}={c.image}" for c in workload.containers)
    line = f"template: {images}"
    if pursuit.memory.reference_at is None:
        written = f", written {ago(snapshot.at - workload.written)} ago" if workload.written is not None else ""
        return [f"{line}; wanted {wanted}{written}" + (f" by {workload.writer}" if written and workload.writer else "")]
    revision = KINDS[workload.kind].current(snapshot)
    about = [f"revision {workload.revision}"] if workload.revision else []
    about += [revision.name] if revision else []
    about.append(f"generation {workload.generation}/{workload.observed} observed")
    return [line, f"rollout: {', '.join(about)}; {workload.counters.text(workload.want)}"]


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
    """Return a title and the last lines of the first container that ran and ended; [] where there are none."""
    pods = {pod.name: pod for pod in snapshot.pods or ()}
    for trouble in troubles:
        pod = pods.get(trouble.pod)
        if pod is None or trouble.kind not in ("crash", "start", "readiness"):
            continue
        try:
            text = _log_text(cluster, workload.namespace, trouble)
        except PermissionMissing:
            return ["no log: get pods/log forbidden"]
        except HomelabError:
            return []
        lines = [redact(line)[:LOG_WIDTH] for line in text.splitlines() if line.strip()][-LOG_LINES:]
        if lines:
            return [f"log of {pod.name}/{trouble.container}:", *(f"  {line}" for line in lines)]
    return []


def _log_text(cluster: Cluster, namespace: str, trouble: Trouble) -> str:
    """Read the crashed run's log, else the current one; "" where there is neither."""
    for previous in (True, False) if trouble.restarts else (False,):
        try:
            text = cluster.logs(namespace, trouble.pod, trouble.container, previous=previous, tail=LOG_LINES)
        except HttpStatus:
            continue
        if text.strip():
            return text
    return ""


def _fresh_events(pursuit: Pursuit, group: Group, workload: Workload) -> tuple[Happening, ...]:
    try:
        group.observer.read_events({pursuit.target: workload})
    except HomelabError:
        return pursuit.snapshot.events or ()
    return group.observer.known_events(pursuit.target) or ()


def _about(events: tuple[Happening, ...], snapshot: Snapshot, verdict: Verdict) -> list[Happening]:
    """Leave out what happened to other revisions and their pods."""
    workload = snapshot.workload
    assert workload is not None
    kind, troubled = KINDS[workload.kind], {trouble.pod for trouble in verdict.troubles}
    current, (new, old) = kind.current(snapshot), kind.split(snapshot)
    pods = {pod.uid for pod in (*new, *(pod for pod in old if pod.name in troubled))}
    ours = {workload.uid, *pods} | ({current.uid} if current else set())
    return [event for event in events if event.about in ours]


def _events(events: Iterable[Happening]) -> list[str]:
    """Return the newest warnings, newest first, the same ones merged."""
    told = (event for event in events if event.type != "Normal" and event.message not in SAYING_NOTHING)
    return [
        f"event: {event.reason}" + (f" x{event.count}" if event.count > 1 else "") + f": {_both_ends(event.message)}"
        for event in merged(told, anywhere=True)[: -EVENTS_SHOWN - 1 : -1]
    ]


def _conditions(workload: Workload) -> list[str]:
    return [
        f"condition: {condition.type}={condition.status} {condition.reason}: {short(condition.message)}"
        for condition in workload.conditions
        if condition.status != "True" and condition.type != "ReplicaFailure"
    ]


def _both_ends(text: str) -> str:
    """Return one line of a message: where it is too long, its cause at the end is kept."""
    line = redact(" ".join(text.split()))
    half = LINE_WIDTH // 2 - 1
    return line if len(line) <= LINE_WIDTH else f"{line[:half]} … {line[-half:]}"
