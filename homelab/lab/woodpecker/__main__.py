"""``python -m homelab.lab.woodpecker``: the server in a process of its own."""

from __future__ import annotations

import sys

from homelab.lab.woodpecker.config import load
from homelab.lab.woodpecker.serve import main
from homelab.lab.woodpecker.server import serving

if __name__ == "__main__":
    sys.exit(main("homelab.lab.woodpecker", load, serving))
