"""Run the demo and write what it printed into README.md, between the recording's markers.

``python docs/record.py``. Only the home folder's path is shortened; nothing else is touched.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

README = Path(__file__).resolve().parent.parent / "README.md"
BEGIN, END = "<!-- recording:begin -->", "<!-- recording:end -->"


def recorded() -> str:
    """Return the demo's output, stdout and stderr as they came."""
    with tempfile.TemporaryDirectory() as home:
        done = subprocess.run(
            [sys.executable, "-m", "homelab", "demo", "--output", "plain"],
            env={**os.environ, "HOME": home},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=True,
        )
    return re.sub(r"demo-\d+", "demo", done.stdout.replace(home, "~"))


def main() -> None:
    """Rewrite the recording."""
    text = README.read_text(encoding="utf-8")
    lines = "\n".join(f"    {line}".rstrip() for line in ("$ python3 dev demo", *recorded().splitlines()))
    replacement = f"{BEGIN}\n{lines}\n{END}"
    README.write_text(re.sub(f"{BEGIN}.*?{END}", lambda _: replacement, text, flags=re.DOTALL), encoding="utf-8")


if __name__ == "__main__":
    main()
