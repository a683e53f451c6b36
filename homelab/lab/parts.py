"""Start each server of the lab, in the order they need each other. Layer: lab."""

from __future__ import annotations

import json
import os
import secrets
import subprocess
from collections.abc import Mapping
from pathlib import Path

from homelab.clock import Clock
from homelab.errors import Unreachable
from homelab.events import Emit
from homelab.lab.caddy import ROOT, start_caddy
from homelab.lab.events import PartStarted
from homelab.lab.guide import config_text, curl_text, deployment, env_text, kubectl_cache
from homelab.lab.layout import CI_HOST, IMAGE, REMOTE_URL, SLUG, VAULT_FIELD, VAULT_HOST, VAULT_PATH, Layout
from homelab.lab.ledger import Ledger
from homelab.lab.openbao import start_openbao
from homelab.lab.ports import Ports
from homelab.lab.process import PYTHON, alive, start_part, wait_ready
from homelab.lab.ready import read_ready
from homelab.lab.remote import git, has_commits, make_remote, write_tools
from homelab.lab.woodpecker.hook import install
from homelab.secret import Secret
from homelab.whole_file import write_whole

USER = "person"


class Starting:
    """One start of a lab: the surroundings every part needs, and the ledger it is written into."""

    def __init__(self, lab: Layout, *, env: Mapping[str, str], clock: Clock, emit: Emit) -> None:
        """Start nothing yet."""
        self.lab, self.env, self.clock, self.emit = lab, env, clock, emit
        self.ledger, self.ports = Ledger(lab.ledger), Ports(lab.ports)

    def part(self, name: str, *arguments: str, env: Mapping[str, str] | None = None) -> int:
        """Start one of our own servers unless it runs; return its port when it serves."""
        return self.running(name) or self._started(name, "--port", str(self.ports.again(name)), *arguments, env=env)

    def _started(self, name: str, *arguments: str, env: Mapping[str, str] | None) -> int:
        child, ready = start_part(
            name, *arguments, folder=self.lab.part(name), env=env or self.env, remember=self.ledger.add
        )
        return self.serves(name, int(wait_ready(child, lambda: read_ready(ready), clock=self.clock)["port"]))

    def running(self, name: str) -> int:
        """Return the port of a part that still runs; 0 where it does not."""
        child = self.ledger.children().get(name)
        return self.ports.of(name) if child is not None and alive(child) else 0

    def serves(self, name: str, port: int) -> int:
        """Tell that the part serves, and keep its port for the next time; return it."""
        self.emit(PartStarted(part=name, where=f"127.0.0.1:{port}"))
        return self.ports.keep(name, port)


def start_parts(lab: Layout, *, env: Mapping[str, str], clock: Clock, emit: Emit) -> str:
    """Start what does not run; return the load balancer's address.

    Raises Unreachable naming the part that does not start.
    """
    starting = Starting(lab, env=env, clock=clock, emit=emit)
    write_tools(lab)
    if not has_commits(lab, env):
        make_remote(lab, env)
    registry = f"http://127.0.0.1:{starting.part('registry')}"
    starting.part("kubernetes", "--registry", registry, "--namespace", "demo")
    _deploy_head(starting, registry)
    routes = {VAULT_HOST: f"127.0.0.1:{_vault(starting)}", CI_HOST: f"127.0.0.1:{_ci(starting, registry)}"}
    dial, ca_file = f"127.0.0.1:{_caddy(starting, routes)}", str(lab.part("caddy") / ROOT)
    write_whole(lab.config, config_text(lab, dial=dial, ca_file=ca_file, registry=registry))
    _keep(lab, "curl", curl_text(dial=dial, ca_file=ca_file, token=_ci_token(lab)))
    write_whole(lab.env, env_text(lab, str(_vault_token_file(lab))))
    return dial


def _caddy(starting: Starting, routes: Mapping[str, str]) -> int:
    """Put the load balancer in front of the public names; return its port."""
    if port := starting.running("caddy"):
        return port
    folder, again = starting.lab.part("caddy"), starting.ports.again("caddy")
    caddy = start_caddy(folder, routes, port=again, clock=starting.clock, remember=starting.ledger.add)
    return starting.serves("caddy", caddy.port)


def vault_token(lab: Layout) -> Secret:
    """Return the user's Vault token, read from its file."""
    return Secret(_vault_token_file(lab).read_text().strip())


def _vault_token_file(lab: Layout) -> Path:
    return lab.secrets / "vault-token"


def _keep(lab: Layout, name: str, value: str) -> Path:
    """Write one secret where its owner alone may read it; return the file."""
    lab.secrets.mkdir(mode=0o700, exist_ok=True)
    write_whole(lab.secrets / name, value)
    return lab.secrets / name


def _ci_token(lab: Layout) -> str:
    file = lab.secrets / "ci-token"
    return file.read_text() if file.exists() else _keep(lab, file.name, secrets.token_urlsafe(32)).read_text()


def _vault(starting: Starting) -> int:
    """Start OpenBao, store the CI token in it, give the user a token that may read it; return its port."""
    if port := starting.running("openbao"):
        return port
    folder, again = starting.lab.part("openbao"), starting.ports.again("openbao")
    openbao = start_openbao(folder, port=again, clock=starting.clock, remember=starting.ledger.add)
    openbao.write(VAULT_PATH, {VAULT_FIELD: _ci_token(starting.lab)})
    _keep(starting.lab, "vault-token", openbao.user_token(VAULT_PATH).reveal())
    return starting.serves("openbao", openbao.port)


def _ci(starting: Starting, registry: str) -> int:
    """Write the CI server's configuration, start it, and let the remote call it on every push."""
    lab = starting.lab
    repository = {
        "full_name": SLUG,
        "path": str(lab.bare),
        "permissions": {USER: "admin"},
        "clone_url_ssh": REMOTE_URL,
        "secrets": {
            "registry": str(_keep(lab, "registry", registry)),
            "kubeconfig": str(_keep(lab, "kubeconfig", str(lab.kubeconfig))),
        },
    }
    _ci_token(lab)
    user = {"login": USER, "token_file": str(lab.secrets / "ci-token")}
    wanted = {"host": f"https://{CI_HOST}", "users": [user], "repositories": [repository]}
    write_whole(lab.root / "ci.json", json.dumps(wanted, indent=1))
    path = f"{lab.tools}{os.pathsep}{starting.env.get('PATH', os.defpath)}"
    port = starting.part(
        "woodpecker", "--config", str(lab.root / "ci.json"), env={**starting.env, "PATH": path, **kubectl_cache(lab)}
    )
    install(lab.bare, lab.part("woodpecker"))
    return port


def _deploy_head(starting: Starting, registry: str) -> None:
    """Where the cluster has no application yet: push the image of the remote's head, and apply its Deployment."""
    lab = starting.lab
    kubectl = [str(lab.tools / "kubectl"), "--kubeconfig", str(lab.kubeconfig)]
    found = _run([*kubectl, "-n", "demo", "get", "deployments", "--output", "name"], starting, cwd=lab.root)
    if found.strip():
        return
    oid = git(lab.bare, "rev-parse", "main", env=starting.env)
    image = f"{IMAGE}:{oid}"
    push = [*PYTHON, "-m", "homelab.lab.registry.push", image, "--to", registry, "--revision", oid]
    _run(push, starting, cwd=lab.clone)
    _run([*kubectl, "apply", "--filename", "-"], starting, cwd=lab.root, stdin=deployment(image))


def _run(argv: list[str], starting: Starting, *, cwd: Path, stdin: str = "") -> str:
    env = {**starting.env, **kubectl_cache(starting.lab)}
    done = subprocess.run(argv, cwd=cwd, env=env, input=stdin, capture_output=True, text=True, check=False, timeout=60)
    if done.returncode:
        raise Unreachable(
            f"{Path(argv[0]).name} failed while the lab started",
            why=done.stderr.strip() or f"exit code {done.returncode}",
            fix="homelab lab down && homelab lab up",
        )
    return done.stdout
