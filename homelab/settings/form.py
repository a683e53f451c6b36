"""What a single value may look like: pure checks that return it in its clean form, or say what is allowed.

No message ever repeats a value that may hold a secret (a URL with a password, a mistyped token name).
Layer: settings; imports nothing of ours but :mod:`homelab.settings.visible`.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, urlsplit

from homelab.settings.visible import shortened

Check = Callable[[Any], Any]

#: No wait is longer than a week: more is a typing error, and some clocks cannot count it.
LONGEST = 7 * 24 * 3600.0

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
_DURATION = re.compile(r"(?:\d+(?:\.\d+)?(?:ms|s|m|h))+")
_DURATION_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h)")
_HOST_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")
_IPV6 = re.compile(r"[0-9a-f:.]*:[0-9a-f:.]*(?:%[0-9a-z_.-]+)?")
_ENV_NAME = re.compile(r"[A-Z_][A-Z0-9_]{0,63}")
_VAULT_PATH = re.compile(r"[^\s#/]+(?:/[^\s#/]+)+#[^\s#]+")
_LONGEST_HOST = 253
_LONGEST_TEXT = 1024
_LAST_PORT = 65535


class UnfitError(ValueError):
    """A value that cannot stand: what is wrong with it, and what is allowed."""

    def __init__(self, what: str, allowed: str) -> None:
        super().__init__(what)
        self.what = what
        self.allowed = allowed


def text(raw: Any) -> str:
    """Return a non-empty line of text without control characters."""
    if not isinstance(raw, str):
        raise UnfitError(f"is {_kind(raw)}", "a text in quotes")
    if not raw.strip():
        raise UnfitError("is empty", "a text that is not empty; leave the key out for none")
    if len(raw) > _LONGEST_TEXT or any(unicodedata.category(char) == "Cc" for char in raw):
        raise UnfitError("is too long or holds a control character", "one line of plain text")
    return raw


def texts(each: Check) -> Check:
    """Return a check for a list whose items pass ``each``; the result is a tuple."""

    def check(raw: Any) -> tuple[Any, ...]:
        if not isinstance(raw, list):
            raise UnfitError(f"is {_kind(raw)}", 'a list, e.g. ["one", "two"]')
        return tuple(each(item) for item in raw)

    return check


def one_of(*choices: str) -> Check:
    """Return a check that only lets ``choices`` pass."""

    def check(raw: Any) -> str:
        if not isinstance(raw, str) or raw not in choices:
            said = f'"{shortened(raw)}"' if isinstance(raw, str) else _kind(raw)
            raise UnfitError(f"is {said}", ", ".join(choices))
        return raw

    return check


def seconds(*, zero: bool = False) -> Check:
    """Return a check for a duration: ``90``, ``2.5``, ``"90s"``, ``"5m"``, ``"1h30m"``; in seconds."""

    def check(raw: Any) -> float:
        """Return the seconds."""
        allowed = f'seconds (90) or a duration ("90s", "5m", "1h30m"), {"" if zero else "more than 0, "}at most 7 days'
        number = _duration(raw)
        if number is None:
            raise UnfitError("is no duration", allowed)
        if not math.isfinite(number) or number > LONGEST or number < 0 or (number == 0 and not zero):
            raise UnfitError("is out of range", allowed)
        return number

    return check


def web_address(raw: Any) -> str:
    """Return an ``http(s)://host[:port][/path]`` URL without a trailing slash; its value is never repeated."""
    allowed = "https://host[:port][/path] (or http://), without user, password, query or fragment"
    address = text(raw)
    try:
        parts = urlsplit(address)
        port = parts.port
    except ValueError:
        raise UnfitError("is no URL", allowed) from None
    fault = _address_fault(address, parts)
    if fault or port == 0:
        raise UnfitError(fault or "names port 0", allowed)
    return address.rstrip("/")


def _address_fault(address: str, parts: SplitResult) -> str:
    if any(char.isspace() or char == "\\" for char in address):
        return "holds a space or a backslash"
    if parts.scheme not in ("http", "https"):
        return "does not start with https:// or http://"
    if "@" in parts.netloc:
        return "holds a user or a password"
    if "?" in address or "#" in address:
        return "holds a query or a fragment"
    if not parts.hostname or not _is_host(parts.hostname):
        return "has no valid host"
    return ""


def origin_of(address: str) -> tuple[str, str, int]:
    """Return scheme, host and port of a checked URL: two URLs of one origin may share a token."""
    parts = urlsplit(address)
    return parts.scheme, (parts.hostname or "").rstrip("."), parts.port or (443 if parts.scheme == "https" else 80)


def host(raw: Any) -> str:
    """Return a host name or address in lower case, without port."""
    name = text(raw).lower().removeprefix("[").removesuffix("]")
    if not _is_host(name):
        raise UnfitError("is no host name", "a host without scheme, port or path, e.g. git.example.org")
    return name


def dial(raw: Any) -> str:
    """Return where TCP goes: ``ip[:port]``, ``[v6][:port]`` or ``name[:port]``."""
    allowed = "an address or a name with an optional port: 192.0.2.10, [2001:db8::1]:443, lb.example.org:8443"
    target = text(raw)
    try:
        parts = urlsplit(f"//{target}")
        named, port = parts.hostname, parts.port
    except ValueError:
        raise UnfitError("is no address", allowed) from None
    plain = parts.netloc == target and "@" not in target and not target.endswith(":")
    if not plain or port == 0 or not named or not _is_host(named):
        raise UnfitError("is no address", allowed)
    return target


def vault_field(raw: Any) -> str:
    """Return ``mount/path#field``."""
    place = text(raw)
    if not _VAULT_PATH.fullmatch(place) or ".." in place.split("#")[0].split("/"):
        raise UnfitError("is no place in Vault", "mount/path#field, e.g. secret/homelab/ci#token")
    return place


def env_name(raw: Any) -> str:
    """Return the name of an environment variable; a token typed here by mistake is not repeated."""
    name = text(raw)
    if not _ENV_NAME.fullmatch(name):
        raise UnfitError("holds something that is no variable name", 'names of variables, e.g. ["WOODPECKER_TOKEN"]')
    return name


def path_from(folder: Path, home: Path, *, exists: bool) -> Check:
    """Return a check for a path: ``~`` is ``home``, a relative one starts at ``folder``."""

    def check(raw: Any) -> Path:
        spelled = text(raw)
        path = home / spelled[2:] if spelled.startswith("~/") else folder / spelled
        if exists and not path.is_file():
            raise UnfitError(f"names {shortened(str(path), limit=200)}, which is not there", "a file that exists")
        return path

    return check


def _duration(raw: Any) -> float | None:
    if isinstance(raw, bool):
        return None
    if isinstance(raw, int | float):
        return float(raw) if abs(raw) <= LONGEST else math.inf
    if not isinstance(raw, str) or len(raw) > len("0000000.000ms") * len(_UNITS):
        return None
    if re.fullmatch(r"\d+(?:\.\d+)?", raw):
        return float(raw)
    if not _DURATION.fullmatch(raw):
        return None
    return sum(float(count) * _UNITS[unit] for count, unit in _DURATION_PART.findall(raw))


def _is_host(name: str) -> bool:
    if ":" in name:
        return bool(_IPV6.fullmatch(name))
    labels = name.lower().removesuffix(".").split(".")
    return len(name) <= _LONGEST_HOST and all(_HOST_LABEL.fullmatch(label) for label in labels)


def _kind(raw: Any) -> str:
    kinds = {bool: "true or false", int: "a number", float: "a number", str: "a text", list: "a list", dict: "a table"}
    return kinds.get(type(raw), "a date or time")
