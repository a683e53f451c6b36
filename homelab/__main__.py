"""``python -m homelab``. Layer: top."""

from homelab.cli import main

main()
