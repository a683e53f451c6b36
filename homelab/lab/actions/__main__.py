"""``python -m homelab.lab.actions``: the server in a process of its own."""

from __future__ import annotations

import sys

from homelab.lab.actions.config import load
from homelab.lab.actions.server import serving
from homelab.lab.woodpecker.serve import main

if __name__ == "__main__":
    sys.exit(main("homelab.lab.actions", load, serving))
