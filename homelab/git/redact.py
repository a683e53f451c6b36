"""Takes users, passwords and tokens out of any text that git or a server wrote.

git itself prints URLs and credential helpers' errors with what is in them. Pure.
Layer: the bottom of the git adapter.
"""

from __future__ import annotations

import re

_USERINFO = re.compile(r"(?P<scheme>\b[A-Za-z][A-Za-z0-9+.-]*://)[^/\s'\"<>]*@")
_HEADER = re.compile(r"(?i)\b((?:proxy-)?authorization|private-token|x-[a-z-]*token)(\s*[:=]\s*)[^\r\n'\"]+")
_ARGUMENT = re.compile(r"(?i)([?&;](?:[a-z_-]*token|key|password|secret|sig|signature)=)[^&\s'\"]+")


def redact(text: str) -> str:
    """Return ``text`` without the user part of URLs, authorization headers and token arguments."""
    text = _USERINFO.sub(r"\g<scheme>", text)
    text = _HEADER.sub(r"\1\2***", text)
    return _ARGUMENT.sub(r"\1***", text)
