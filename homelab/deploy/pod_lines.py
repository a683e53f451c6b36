"""Troubled pods, a line each: where they are, what ails them, how their containers ended. Pure.

Layer: the deploy domain, above its judgement.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from homelab.deploy.ages import ago
from homelab.deploy.judgement import Trouble
from homelab.deploy.model import ContainerStatus, Ended, Pod, Snapshot
from homelab.deploy.redaction import redact
from homelab.deploy.signals import short_cause

PODS_SHOWN = 3
#: Characters of a message; and of one that must be read whole, a quota's.
LINE_WIDTH, LONG_WIDTH = 200, 400


def pod_lines(snapshot: Snapshot, troubles: Iterable[Trouble]) -> list[str]:
    """Describe the troubled pods: one of each trouble first, then how many more are like them."""
    pods = {pod.name: pod for pod in snapshot.pods or ()}
    by_pod = {trouble.pod: trouble for trouble in reversed(tuple(troubles))}
    found = list(by_pod.values())[::-1]
    firsts = list({(trouble.kind, trouble.reason): trouble for trouble in reversed(found)}.values())[::-1]
    shown = sorted(found, key=lambda trouble: trouble not in firsts)[:PODS_SHOWN]
    lines = [_pod(trouble, pods.get(trouble.pod), snapshot.at) for trouble in shown]
    rest = [trouble for trouble in found if trouble not in shown]
    if rest:
        reasons = Counter(trouble.reason for trouble in rest)
        unlike = set(reasons) - {trouble.reason for trouble in shown}
        named = ", ".join(f"{count} {reason}" for reason, count in reasons.most_common())
        lines.append(f"and {len(rest)} more: {named}" if unlike else f"and {len(rest)} more like {_these(shown)}")
    return lines


def _these(shown: Sequence[Trouble]) -> str:
    return "it" if len(shown) == 1 else "these"


def _pod(trouble: Trouble, pod: Pod | None, now: float) -> str:
    if pod is None:
        return f"pods: {trouble.reason}: {short(trouble.message, LONG_WIDTH)}"
    age = f", {ago(now - pod.created)} old" if pod.created is not None else ""
    node = f" on {pod.node}" if pod.node else ""
    status = next((c for c in pod.containers if c.name == trouble.container), None)
    container = f" {'init ' if trouble.init else ''}{trouble.container}:" if trouble.container else ""
    ended = _ended(status, now) if status else ""
    message = short_cause(trouble.message, trouble.image) if trouble.image else trouble.message
    text = f": {short(message)}" if message else ""
    return f"pod {pod.name}{node}{age}:{container} {trouble.reason}{ended}{text}"


def _ended(status: ContainerStatus, now: float) -> str:
    ended = status.ended or status.last
    parts = [f"{status.restarts} restart{'s' if status.restarts > 1 else ''}"] if status.restarts else []
    parts += [_how(ended, now)] if ended is not None else []
    return f" ({', '.join(parts)})" if parts else ""


def _how(ended: Ended, now: float) -> str:
    """``last exit 137 by signal 9 (OOMKilled) 12s ago``."""
    signal = f" by signal {ended.signal}" if ended.signal else ""
    reason = f" ({ended.reason})" if ended.reason else ""
    when = f" {ago(now - ended.finished)} ago" if ended.finished is not None else ""
    return f"last exit {ended.code}{signal}{reason}{when}"


def short(text: str, width: int = LINE_WIDTH) -> str:
    """Return one line of somebody else's words, without credentials, cut at ``width``."""
    line = redact(" ".join(text.split()))
    return line if len(line) <= width else f"{line[: width - 1]}…"
