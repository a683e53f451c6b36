"""Splits the spellings of a git remote URL into kind, host, port and path, as git itself does.

Pure text; follows git's ``connect.c`` (``parse_connect_url``, ``url_is_local_not_ssh``).
Layer: the bottom of the git adapter; imports only the vocabulary.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass

from homelab.errors import UsageError
from homelab.git.redact import redact

_KINDS = {
    "ssh": "ssh",
    "git+ssh": "ssh",
    "ssh+git": "ssh",
    "https": "https",
    "http": "http",
    "git": "git",
    "file": "local",
    "codecommit": "codecommit",
}
_DEFAULT_PORTS = {"ssh": 22, "https": 443, "http": 80, "git": 9418}
_HELPER = re.compile(r"^([A-Za-z0-9][A-Za-z0-9+.-]*)::(.*)$", re.DOTALL)
_HOST = re.compile(r"^[\w][\w.-]*$")
_MAX_PORT = 65535
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class Parts:
    """A remote URL cut at its joints. ``path`` is still encoded as it stood."""

    kind: str
    host: str | None
    port: int | None
    path: str
    #: The text without its user part.
    shown: str
    #: True for ``scheme://`` spellings, whose paths git percent-decodes.
    url_form: bool
    #: The raw scheme's own words, for a name taken from a helper's address.
    repository: str = ""


def refuse(text: str, why: str) -> UsageError:
    """Return the error for a remote URL that cannot be used."""
    shown = re.sub(r"^[^/:@\s]*@(?=[^/]*:)", "", redact(text))
    return UsageError(
        f"the remote URL {shown!r} cannot be used",
        why=why,
        fix="git remote -v, then: git remote set-url <remote> <url>",
    )


def split(text: str, *, windows: bool = False) -> Parts:
    """Cut ``text`` at its joints. Raises UsageError for what git would refuse or run a helper for."""
    if not text or text != text.strip() or _CONTROL.search(text):
        raise refuse(text, "it is empty, or holds control characters or spaces at its ends")
    if text.startswith("-"):
        raise refuse(text, "it starts with '-', which programs read as an option")
    helper = _HELPER.match(text)
    if helper:
        return _helper(text, helper[1], helper[2])
    scheme, separator, rest = text.partition("://")
    if separator and re.fullmatch(r"[A-Za-z][A-Za-z0-9+.-]*", scheme):
        return _url(text, scheme, rest)
    if _is_scp(text) and not (windows and re.match(r"^[A-Za-z]:[\\/]", text)):
        return _scp(text)
    return Parts(kind="local", host=None, port=None, path=text, shown=text, url_form=False)


def _helper(text: str, name: str, address: str) -> Parts:
    if name.lower() == "codecommit":
        _, _, place = address.rpartition("://")
        repository = place.rpartition("@")[2]
        return Parts("codecommit", None, None, "", f"codecommit::{repository}", url_form=False, repository=repository)
    raise refuse(text, f"it runs the remote helper {name!r}, which a remote may not choose")


def _url(text: str, scheme: str, rest: str) -> Parts:
    kind = _KINDS.get(scheme.lower())
    if kind is None:
        raise refuse(text, f"git would run a helper for the scheme {scheme!r}")
    if kind == "local":
        return Parts(kind, None, None, rest, text, url_form=True)
    # The authority ends at the first slash; only an @ inside it ends the user.
    authority, slash, path = rest.partition("/")
    user, _, place = authority.rpartition("@")
    if user.startswith("-"):
        raise refuse(text, "its login starts with '-', which ssh reads as an option")
    shown = f"{scheme}://{place}{slash}{path}"
    if kind == "codecommit":
        return Parts(kind, None, None, "", shown, url_form=True, repository=place)
    if "?" in path or "#" in path or "?" in place or "#" in place:
        raise refuse(text.partition("?")[0], "a git remote URL has no query and no fragment")
    host, port = _host_and_port(text, place)
    return Parts(kind, host, None if port == _DEFAULT_PORTS[kind] else port, path, shown, url_form=True)


def _is_scp(text: str) -> bool:
    """Say whether git reads ``text`` as ``host:path``: a colon comes before any slash."""
    colon, slash = text.find(":"), text.find("/")
    return colon != -1 and (slash == -1 or colon < slash)


def _scp(text: str) -> Parts:
    bracket = re.match(r"^(?:(?P<user>[^\[\]]*)@)?\[(?P<inside>[^\]]*)\]:(?P<path>.*)$", text, re.DOTALL)
    if bracket:
        user, _, place = bracket["inside"].rpartition("@")
        user, path = bracket["user"] or user, bracket["path"]
        # [host:2222] carries a port; an address of version 6 has two colons or more.
        place = place if place.count(":") == 1 else f"[{place}]" if ":" in place else place
        shown = f"[{place.strip('[]')}]:{path}"
    else:
        authority, _, path = text.partition(":")
        user, _, place = authority.rpartition("@")
        shown = f"{place}:{path}"
    if user.startswith("-") or place.startswith("-"):
        raise refuse(text, "its host or login starts with '-', which ssh reads as an option")
    host, port = _host_and_port(text, place)
    return Parts("ssh", host, None if port == _DEFAULT_PORTS["ssh"] else port, path, shown, url_form=False)


def _host_and_port(text: str, place: str) -> tuple[str, int | None]:
    bracket = re.match(r"^\[([^\]]*)\](?::(\d*))?$", place)
    if bracket:
        return _address(text, bracket[1]), _port(text, bracket[2] or "")
    host, _, port = place.partition(":")
    if not _HOST.match(host):
        raise refuse(text, f"{host!r} is not a host name")
    return host.lower(), _port(text, port)


def _address(text: str, inside: str) -> str:
    try:
        ipaddress.IPv6Address(inside)
    except ValueError:
        if _HOST.match(inside):
            return inside.lower()
        raise refuse(text, f"{inside!r} is neither a host name nor an IPv6 address") from None
    return inside.lower()


def _port(text: str, port: str) -> int | None:
    if not port:
        return None
    if not port.isascii() or not port.isdigit() or not 0 < int(port) <= _MAX_PORT:
        raise refuse(text, f"{port!r} is not a port")
    return int(port)
