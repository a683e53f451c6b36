"""The lab's git server: a bare repository behind an ssh command that never leaves this machine.

git runs ``core.sshCommand`` where it would run ssh; ours serves the two git services from the
lab's folder. Everything else about the remote is real: receive-pack, hooks, locks, refusals.
Layer: lab.
"""

from __future__ import annotations

import shlex
import shutil
import subprocess
import sys
from collections.abc import Mapping
from importlib.resources import as_file, files
from pathlib import Path

from homelab.errors import Unreachable
from homelab.lab.layout import REMOTE_URL, Layout
from homelab.lab.needs import PROGRAMS, find_program, missing
from homelab.lab.process import PYTHON
from homelab.whole_file import write_whole

#: The pipeline is told the registry's address; a person's terminal looks where it listens.
_PUSH = """\
#!/bin/sh
port=$(sed 's/[^0-9]*\\([0-9]*\\).*/\\1/' {ready})
exec {python} -m homelab.lab.registry.push "$@" --to "${{REGISTRY:-http://127.0.0.1:$port}}" \\
    --revision "${{CI_COMMIT_SHA:-}}"
"""
_SSH = """\
#!/bin/sh
# What git runs instead of ssh: the last argument is the service and the path it asks for.
for request; do :; done
case "$request" in
  *..*) echo "lab: no such repository" >&2; exit 128 ;;
  "git-upload-pack '/"*|"git-receive-pack '/"*) ;;
  *) echo "lab: only git-upload-pack and git-receive-pack are served here" >&2; exit 128 ;;
esac
service=${{request%% *}}
path=${{request#*\\'}}
path=${{path%\\'}}
exec git "${{service#git-}}" {git}"$path"
"""

_PERSON = {"NAME": "Lab Person", "EMAIL": "person@homelab.test"}


def git(folder: Path, *words: str, env: Mapping[str, str]) -> str:
    """Run one git command of the lab; return its stdout. Raises Unreachable with git's own words."""
    done = subprocess.run(
        ["git", "-C", str(folder), *words], capture_output=True, text=True, check=False, env=_own(env), timeout=60
    )
    if done.returncode:
        raise Unreachable(
            f"git {words[0]} failed in the lab",
            why=done.stderr.strip() or f"exit code {done.returncode}",
            fix="homelab lab down && homelab lab up",
        )
    return done.stdout.strip()


def _own(env: Mapping[str, str]) -> dict[str, str]:
    """Drop every variable that would point git at another repository, and sign as the lab's person."""
    kept = {name: value for name, value in env.items() if not name.startswith("GIT_")}
    for role in ("AUTHOR", "COMMITTER"):
        kept |= {f"GIT_{role}_{part}": text for part, text in _PERSON.items()}
    return kept


def write_tools(lab: Layout) -> None:
    """Write the ssh stand-in and the pipeline's tools: ``push-image``, ``kubectl``, ``python3``."""
    lab.tools.mkdir(parents=True, exist_ok=True)
    write_whole(lab.tools / "ssh", _SSH.format(git=shlex.quote(str(lab.git))), mode=0o700)
    ready = shlex.quote(str(lab.part("registry") / "ready.json"))
    push = _PUSH.format(python=shlex.join(PYTHON), ready=ready)
    write_whole(lab.tools / "push-image", push, mode=0o700)
    kubectl = find_program("kubectl")
    if kubectl is None:
        raise missing({"kubectl": PROGRAMS["kubectl"]})
    for name, program in (("kubectl", kubectl), ("python3", sys.executable)):
        write_whole(lab.tools / name, f'#!/bin/sh\nexec {shlex.quote(program)} "$@"\n', mode=0o700)


def has_commits(lab: Layout, env: Mapping[str, str]) -> bool:
    """Say whether the remote holds the sample: an earlier ``up`` may have ended before it did."""
    try:
        return lab.bare.exists() and bool(git(lab.bare, "rev-parse", "--verify", "main", env=env))
    except Unreachable:
        return False


def make_remote(lab: Layout, env: Mapping[str, str]) -> None:
    """Create the bare remote with the sample application as its first commit, and the user's clone of it.

    What an unfinished ``up`` left is made anew: nothing was ever pushed from it.
    """
    for left in (lab.bare, lab.clone):
        shutil.rmtree(left, ignore_errors=True)
    lab.bare.mkdir(parents=True)
    git(lab.bare, "init", "--quiet", "--bare", "--initial-branch=main", env=env)
    with as_file(files("homelab.lab") / "sample") as sample:
        shutil.copytree(sample, lab.clone, ignore=shutil.ignore_patterns("__pycache__"))
    git(lab.clone, "init", "--quiet", "--initial-branch=main", env=env)
    for key, value in _clone_settings(lab).items():
        git(lab.clone, "config", key, value, env=env)
    git(lab.clone, "add", "--all", env=env)
    git(lab.clone, "commit", "--quiet", "--message", "Say hello", env=env)
    git(lab.clone, "remote", "add", "origin", REMOTE_URL, env=env)
    git(lab.clone, "push", "--quiet", "--set-upstream", "origin", "main", env=env)
    git(lab.clone, "remote", "set-head", "origin", "main", env=env)


def _clone_settings(lab: Layout) -> dict[str, str]:
    person = {"user.name": _PERSON["NAME"], "user.email": _PERSON["EMAIL"], "commit.gpgSign": "false"}
    return {**person, "core.sshCommand": shlex.quote(str(lab.tools / "ssh")), "ssh.variant": "simple"}
