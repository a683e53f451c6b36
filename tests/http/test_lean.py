from __future__ import annotations

import subprocess
import sys

HEAVY = """
import sys, {module}
print([name for name in ("click", "rich", "pygments", "httpx", "hvac", "requests", "tenacity") if name in sys.modules])
"""


def loaded_by(module: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", HEAVY.format(module=module)], capture_output=True, text=True, check=True, timeout=30
    )
    return done.stdout.strip()


def test_httpx_does_not_bring_its_own_command_line() -> None:
    assert loaded_by("homelab.http.client") == "['httpx', 'tenacity']"


def test_the_port_and_the_events_load_no_library() -> None:
    assert loaded_by("homelab.http.port, homelab.http.events, homelab.http.sse, homelab.secrets.chain") == "[]"
