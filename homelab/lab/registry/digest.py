"""How content is addressed in a registry. Layer: the registry's ground."""

from __future__ import annotations

import hashlib


def digest_of(content: bytes) -> str:
    """Return the digest that addresses ``content``: ``sha256:<hex>``."""
    return f"sha256:{hashlib.sha256(content).hexdigest()}"
