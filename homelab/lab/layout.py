"""Where a lab keeps everything: one folder, gone after ``down``. Pure.

Layer: lab; knows paths and names, starts nothing.
"""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from pathlib import Path

from homelab.world import World

CI_HOST = "ci.homelab.test"
VAULT_HOST = "vault.homelab.test"
GIT_HOST = "git.homelab.test"
REGISTRY_HOST = "registry.homelab.test"

SLUG = "demo/hello"
IMAGE = f"{REGISTRY_HOST}/{SLUG}"
REMOTE_URL = f"ssh://git@{GIT_HOST}/{SLUG}.git"
VAULT_PATH = "homelab/ci"
VAULT_FIELD = "token"


@dataclass(frozen=True, slots=True)
class Layout:
    """The folders and files of one lab."""

    root: Path
    #: Whether the folder was named by --dir; then the commands we suggest name it too.
    named: bool = False

    def command(self, word: str) -> str:
        """Return ``homelab lab <word>`` as it has to be typed for this lab."""
        return f"homelab lab {word}" + (f" --dir {shlex.quote(str(self.root))}" if self.named else "")

    @property
    def use(self) -> str:
        """The line that makes a terminal use this lab."""
        return f". {shlex.quote(str(self.env))} && cd {shlex.quote(str(self.clone))}"

    @property
    def mark(self) -> Path:
        """Says that a lab made this folder, and that ``down`` may remove it."""
        return self.root / ".homelab-lab"

    @property
    def ledger(self) -> Path:
        """The children that run for this lab."""
        return self.root / "children.json"

    @property
    def ports(self) -> Path:
        """Where each part listens, also when it is started again."""
        return self.root / "ports.json"

    @property
    def ready(self) -> Path:
        """Written last: its presence says that ``up`` finished. Holds the port of the load balancer."""
        return self.root / "lab.json"

    @property
    def git(self) -> Path:
        """What the git server serves."""
        return self.root / "git"

    @property
    def bare(self) -> Path:
        """The bare remote."""
        return self.git / f"{SLUG}.git"

    @property
    def clone(self) -> Path:
        """The user's clone of the sample application."""
        return self.root / "hello"

    @property
    def tools(self) -> Path:
        """What the pipeline's steps and git find on their PATH."""
        return self.root / "bin"

    @property
    def config(self) -> Path:
        """The user's configuration file."""
        return self.root / "config.toml"

    @property
    def env(self) -> Path:
        """Shell lines that make this terminal use the lab."""
        return self.root / "env"

    @property
    def kubeconfig(self) -> Path:
        """Access to the lab's cluster."""
        return self.part("kubernetes") / "kubeconfig"

    @property
    def secrets(self) -> Path:
        """One file a secret, readable by its owner alone."""
        return self.root / "secrets"

    def part(self, name: str) -> Path:
        """Return the state folder of one server."""
        return self.root / name


def layout_of(world: World, folder: Path | None) -> Layout:
    """Return the lab in ``folder``, or the one in the state folder."""
    return Layout((world.cwd / folder).resolve(), named=True) if folder else Layout(world.state_home / "lab")
