"""The bare repository's post-receive hook, and how it gets there.

Run as a script by git, with nothing but the standard library and as few imports as will do: it tells
the CI server of every updated ref and says on stderr, which git shows to whoever pushed, what came of
it. It never fails a push: the commits are already in.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_MARK = "# homelab lab: tells the CI server of every push\n"
_TIMEOUT = 10.0


def install(repository: Path, *states: Path) -> Path:
    """Make ``repository`` (bare) call the servers whose state folders are ``states``; return the hook's path.

    FileExistsError when another post-receive hook is there.
    """
    hook = repository / "hooks" / "post-receive"
    if hook.exists() and _MARK not in hook.read_text():
        raise FileExistsError(f"{hook} is somebody else's")
    hook.parent.mkdir(exist_ok=True)
    script = [sys.executable, "-I", "-S", str(Path(__file__).resolve())]
    from shlex import quote

    words = " ".join(map(quote, [*script, *(str(state.resolve()) for state in states)]))
    hook.write_text(f"#!/bin/sh\n{_MARK}exec {words}\n")
    hook.chmod(0o755)
    return hook


def main(state: str, repository: str, lines: list[str]) -> None:
    """Tell one server of each ``old new ref`` line."""
    try:
        address = json.loads((Path(state) / "hook.json").read_text())
    except (OSError, ValueError):
        _say("the CI server has left no address; nothing was started")
        return
    for line in lines:
        before, after, ref = line.split(None, 2)
        _say(_told(address, {"path": repository, "ref": ref.strip(), "before": before, "after": after}))


def _told(address: dict[str, Any], push: dict[str, str]) -> str:
    """Post one updated ref; return what came of it, in a sentence."""
    from http.client import HTTPConnection, HTTPException
    from os import environ
    from urllib.parse import urlsplit

    push["pusher"] = environ.get("HOMELAB_PUSHER") or environ.get("GIT_COMMITTER_NAME") or ""
    connection = HTTPConnection("127.0.0.1", address["port"], timeout=_TIMEOUT)
    try:
        base = urlsplit(address["host"]).path.rstrip("/")
        connection.request("POST", f"{base}/api/hook", json.dumps(push), {"X-Hook-Token": address["token"]})
        answer = connection.getresponse()
        body, filtered = answer.read(), answer.getheader("Pipeline-Filtered")
    except (OSError, HTTPException) as error:
        return f"the CI server does not answer ({error}); nothing was started for {push['ref']}"
    finally:
        connection.close()
    return _sentence(answer.status, body, filtered=filtered == "true", host=address["host"], ref=push["ref"])


def _sentence(status: int, body: bytes, *, filtered: bool, host: str, ref: str) -> str:
    if status == 200 and body.startswith(b"{"):  # noqa: PLR2004 -- http.HTTPStatus costs an import
        pipeline = json.loads(body)
        return f"pipeline #{pipeline['number']} for {ref}: {pipeline['status']}, {host}"
    if filtered:
        return f"no pipeline for {ref}: the configuration or the message filters it out"
    if status == 204:  # noqa: PLR2004
        return f"no pipeline for {ref}: the repository is not active"
    return f"no pipeline for {ref}: {status} {body.decode(errors='replace')[:200]}".rstrip()


def _say(sentence: str) -> None:
    print(f"CI: {sentence}", file=sys.stderr)  # noqa: T201 -- a git hook speaks on stderr


if __name__ == "__main__":
    try:
        updates = sys.stdin.readlines()
        for folder in sys.argv[1:]:
            main(folder, str(Path.cwd()), updates)
    except Exception as error:  # noqa: BLE001 -- the push is done; a hook that fails would only frighten
        _say(f"the hook failed: {error!r}")
