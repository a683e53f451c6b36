"""Takes what looks like a credential out of somebody else's words: logs, events, messages. Pure.

Layer: a leaf of the deploy domain.
"""

from __future__ import annotations

import re

_NAMED = re.compile(
    r"(?i)(authorization:\s*(?:bearer|basic)\s+|bearer\s+|\b[\w.-]*(?:token|password|passwd|secret|api[_-]?key)\b[\"']?\s*[=:]\s*[\"']?)"
    r"[^\s\"',;]+"
)
#: Credentials known by their look: JSON web tokens, access keys of clouds and forges.
_KNOWN = re.compile(
    r"\b(?:eyJ[\w-]{6,}\.[\w-]{6,}\.[\w-]*|(?:AKIA|ASIA)[0-9A-Z]{16}|gh[pousr]_\w{20,}|glpat-[\w-]{20,}|hvs\.[\w-]{20,})"
)

_PASSWORD_IN_URL = re.compile(r"(://[^/\s:@'\"]*:)[^/\s@'\"]+@")


def redact(text: str) -> str:
    """Return ``text`` with what looks like a credential blotted out."""
    return _KNOWN.sub("***", _PASSWORD_IN_URL.sub(r"\1***@", _NAMED.sub(r"\1***", text)))
