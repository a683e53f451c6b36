"""How far a server's clock is from ours, by the ``Date`` of its answers (RFC 9110 §6.6.1). Pure. Layer: http."""

from __future__ import annotations

from collections.abc import Mapping
from email.utils import parsedate_to_datetime


def skew(headers: Mapping[str, str], now: float) -> float | None:
    """Return the seconds that the sender of ``headers`` is ahead of ``now`` (Unix); None where it does not say."""
    try:
        return parsedate_to_datetime(headers["date"]).timestamp() - now
    except (KeyError, ValueError, TypeError, OverflowError):
        return None
