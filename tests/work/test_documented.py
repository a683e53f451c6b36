from __future__ import annotations

import re
from pathlib import Path

import homelab

ROOT = Path(homelab.__file__).parent


def test_every_git_configuration_key_is_documented_and_no_other():
    sources = "\n".join(path.read_text() for name in ("work", "git") for path in (ROOT / name).glob("*.py"))
    used = set(re.findall(r'"(homelab\.(?:remote|[a-zA-Z]+))"', sources))
    documented = set(re.findall(r"^\| `(homelab\.\w+)`", (ROOT.parent / "docs/landing.md").read_text(), re.MULTILINE))
    assert used == documented
