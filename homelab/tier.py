"""What a verb may do to the world outside. Layer: vocabulary."""

from __future__ import annotations

from enum import StrEnum


class Tier(StrEnum):
    """Declared by every verb, enforced by the ports it is handed."""

    #: Looks only: its HTTP and Kubernetes ports refuse anything but reading.
    READ = "read"
    #: Changes things: pushes, approves, restarts, starts processes.
    WRITE = "write"
