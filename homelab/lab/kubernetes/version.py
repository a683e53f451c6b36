"""Which Kubernetes the lab claims to be. Layer: vocabulary of the lab cluster."""

from __future__ import annotations

from homelab.lab.kubernetes.objects import Object

MAJOR, MINOR = "1", "36"
GIT_VERSION = f"v{MAJOR}.{MINOR}.0+homelab"


def version() -> Object:
    """Return the body of ``GET /version``."""
    return {
        "major": MAJOR,
        "minor": MINOR,
        "gitVersion": GIT_VERSION,
        "gitCommit": "0" * 40,
        "gitTreeState": "clean",
        "buildDate": "2026-11-21T00:00:00Z",
        "goVersion": "none",
        "compiler": "none",
        "platform": "linux/amd64",
    }
