"""What ``docker login`` stored, by the registry it was stored for. Layer: the registry package."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from pathlib import Path

from homelab.registry.image import DOCKER_HUB
from homelab.secret import Secret


def credentials(env: Mapping[str, str], home: Path, host: str) -> Secret | None:
    """Return base64 of ``user:password`` for ``host`` from docker's file; None where nothing is (or a helper holds it).

    A helper is a program that a file names; none is run.
    """
    folder = Path(env["DOCKER_CONFIG"]) if env.get("DOCKER_CONFIG") else home / ".docker"
    try:
        stored = json.loads((folder / "config.json").read_text())["auths"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    names = [host, f"https://{host}", f"http://{host}", f"https://{host}/v1/", f"https://{host}/v2/"]
    if host == DOCKER_HUB:
        names.append("https://index.docker.io/v1/")
    for name in names:
        found = stored.get(name) if isinstance(stored, dict) else None
        if isinstance(found, dict):
            kept = found.get("auth") or ""
            if not kept and found.get("username"):
                kept = base64.b64encode(f"{found['username']}:{found.get('password', '')}".encode()).decode()
            if kept:
                return Secret(str(kept))
    return None
