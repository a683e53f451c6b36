"""Write what the code already knows into README.md: the verbs, and the table of exit codes.

``python docs/generate.py`` rewrites the parts between ``<!-- name:begin -->`` and
``<!-- name:end -->``; ``--check`` only says whether they are current.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import click

from homelab.cli import cli
from homelab.outcome import Outcome
from homelab.verb import manifest

README = Path(__file__).resolve().parent.parent / "README.md"


def verbs() -> str:
    """Return a row for each verb: how it is typed, what it may do, what it is for."""
    described = cli.to_info_dict(click.Context(cli, info_name="homelab"))
    rows = ["| verb | tier | what it does |", "| --- | --- | --- |"]
    for line in manifest(described):
        verb = json.loads(line)
        rows.append(f"| `homelab {verb['name']}` | {verb['tier']} | {verb['summary']} |")
    return "\n".join(rows)


def outcomes() -> str:
    """Return a row for each exit code."""
    rows = [f"| {int(outcome)} | {outcome.word} | {outcome.meaning} |" for outcome in Outcome]
    return "\n".join(["| code | word | meaning |", "| --- | --- | --- |", *rows])


def generated(text: str) -> str:
    """Return ``text`` with both parts made anew."""
    for name, body in (("verbs", verbs()), ("outcomes", outcomes())):
        begin, end = f"<!-- {name}:begin -->", f"<!-- {name}:end -->"
        replacement = f"{begin}\n{body}\n{end}"
        text = re.sub(f"{begin}.*?{end}", lambda _: replacement, text, flags=re.DOTALL)  # noqa: B023 -- used at once
    return text


def main() -> None:
    """Rewrite README.md, or check it."""
    before = README.read_text(encoding="utf-8")
    after = generated(before)
    if "--check" in sys.argv:
        sys.exit(0 if before == after else "README.md is behind the code; run: python docs/generate.py")
    README.write_text(after, encoding="utf-8")


if __name__ == "__main__":
    main()
