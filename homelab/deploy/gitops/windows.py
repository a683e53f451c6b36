"""Argo CD's sync windows: whether one holds an automated sync back now. Pure.

Rules: argo-cd pkg/apis/application/v1alpha1/types.go (SyncWindows.Matches, SyncWindows.CanSync); schedules as
robfig/cron's standard parser reads them. Layer: a leaf of the deploy domain.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from fnmatch import fnmatchcase
from zoneinfo import ZoneInfo

from homelab.kube.port import Json

_UNITS = {"h": 3600, "m": 60, "s": 1}
_NAMES = {
    name: number
    for names, first in (("sun mon tue wed thu fri sat", 0), ("jan feb mar apr may jun jul aug sep oct nov dec", 1))
    for number, name in enumerate(names.split(), first)
}
_RANGES = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 6))
_DESCRIBED = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
}
#: A window longer than this is not looked through minute by minute.
LONGEST = timedelta(days=14)


@dataclass(frozen=True, slots=True)
class Holding:
    """What holds a sync back, as a person reads it, and whether one by hand would be let through."""

    shown: str
    by_hand: bool


def holding(project: Json, application: Json, now: datetime) -> Holding | None:
    """Return the windows of an AppProject that hold the application's automated sync back; None: none is known to.

    ``now`` has a time zone. A window whose schedule cannot be read is left out.
    """
    all_ = (project.get("spec") or {}).get("syncWindows") or []
    ours = [(one, active) for one in all_ if _about(one, application) and (active := _active(one, now)) is not None]
    denying = [one for one, active in ours if active and one.get("kind") == "deny"]
    if denying:
        return Holding(_shown("the sync window", denying), all(one.get("manualSync") for one in denying))
    allowing = [(one, active) for one, active in ours if one.get("kind") == "allow"]
    if allowing and not any(active for _, active in allowing):
        closed = [one for one, _ in allowing]
        return Holding(_shown("the closed sync window", closed), any(one.get("manualSync") for one in closed))
    return None


def _shown(what: str, windows: Sequence[Json]) -> str:
    return what + " " + "; ".join(f"{one['kind']} {one['schedule']} for {one['duration']}" for one in windows[:2])


def _about(window: Json, application: Json) -> bool:
    """Say whether a window is about the application: by name, namespace or cluster, with ``*``."""
    about, destination = application.get("metadata") or {}, (application.get("spec") or {}).get("destination") or {}
    servers = [str(destination.get(key) or "") for key in ("server", "name")]
    asked = [
        (window.get("applications"), [str(about.get("name") or "")]),
        (window.get("namespaces"), [str(destination.get("namespace") or "")]),
        (window.get("clusters"), servers),
    ]
    hits = [any(fnmatchcase(v, str(p)) for p in patterns for v in values) for patterns, values in asked if patterns]
    return bool(hits) and (all(hits) if window.get("andOperator") else any(hits))


def _active(window: Json, now: datetime) -> bool | None:
    """Say whether the window is open at ``now``; None where it cannot be read."""
    try:
        there = now.astimezone(ZoneInfo(str(window.get("timeZone") or "UTC")))
        length = _duration(str(window.get("duration") or ""))
        fields = _schedule(str(window.get("schedule") or ""))
    except (ValueError, KeyError, OSError):
        return None
    if length > LONGEST:
        return None
    minute = there.replace(second=0, microsecond=0, tzinfo=None)
    began = there.replace(tzinfo=None) - length
    while minute > began:
        if _fires(fields, minute):
            return True
        minute -= timedelta(minutes=1)
    return False


def _duration(text: str) -> timedelta:
    """Read a Go duration of hours, minutes and seconds."""
    parts = re.findall(r"(\d+(?:\.\d+)?)([hms])", text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        raise ValueError(text)
    return timedelta(seconds=sum(float(number) * _UNITS[unit] for number, unit in parts))


@dataclass(frozen=True, slots=True)
class _Field:
    values: frozenset[int]
    any: bool


def _schedule(text: str) -> list[_Field]:
    """Read the five fields of a cron schedule."""
    words = _DESCRIBED.get(text, text).split()
    if len(words) != len(_RANGES):
        raise ValueError(text)
    return [_field(word.lower(), low, high) for word, (low, high) in zip(words, _RANGES, strict=True)]


def _field(text: str, low: int, high: int) -> _Field:
    values: set[int] = set()
    for part in text.split(","):
        span, _, step = part.partition("/")
        first, dash, last = span.partition("-")
        if span in ("*", "?"):
            start, end = low, high
        else:
            start = _number(first)
            end = _number(last) if dash else (high if step else start)
        if not low <= start <= end <= high:
            raise ValueError(text)
        values |= set(range(start, end + 1, int(step) if step else 1))
    return _Field(frozenset(values), text[0] in "*?")


def _number(text: str) -> int:
    return _NAMES[text] if text in _NAMES else int(text)


def _fires(fields: list[_Field], at: datetime) -> bool:
    """Say whether a schedule fires in this minute; two restricted day fields are met by either."""
    minute, hour, day, month, weekday = fields
    on_day, on_weekday = at.day in day.values, (at.weekday() + 1) % 7 in weekday.values
    days = on_day and on_weekday if day.any or weekday.any else on_day or on_weekday
    return at.minute in minute.values and at.hour in hour.values and at.month in month.values and days


def in_utc(now: float) -> datetime:
    """Return Unix seconds as a time with a zone."""
    return datetime.fromtimestamp(now, UTC)
