"""OpenBao as the lab's secret store: initialised, unsealed, holding the CI token.

The unseal key and the root token live only in ``init.json`` (mode 0600) in its folder. It listens
on loopback without TLS; Caddy stands in front of it. Layer: lab.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from homelab.clock import Clock, SystemClock
from homelab.errors import HomelabError, HttpStatus, PersonNeeded
from homelab.http.port import JsonHttp, Site
from homelab.lab import process
from homelab.lab.caddy import program
from homelab.lab.ports import claim_port, free_port
from homelab.lab.process import Child
from homelab.secret import Secret
from homelab.whole_file import write_whole

MOUNT = "secret"
POLICY = "homelab-user"
HEALTH: dict[str, str | int] = {"sealedcode": 200, "uninitcode": 200, "standbyok": "true"}


@dataclass(frozen=True, slots=True)
class Running:
    """An OpenBao that answers on ``127.0.0.1:port``, initialised and unsealed."""

    child: Child
    port: int
    folder: Path
    clock: Clock

    @property
    def address(self) -> str:
        """``host:port``, as a load balancer's upstream."""
        return f"127.0.0.1:{self.port}"

    @property
    def root_token(self) -> Secret:
        """The root token, read from its file."""
        return Secret(str(_kept(self.folder)["root_token"]))

    def write(self, path: str, fields: Mapping[str, str]) -> None:
        """Store ``fields`` at ``path`` of the KV v2 mount ``secret``."""
        with _client(self.port, self.root_token, self.clock) as http:
            http.send("POST", f"/v1/{MOUNT}/data/{path}", json={"data": dict(fields)})

    def user_token(self, path: str, *, ttl: str = "768h", renewable: bool = True) -> Secret:
        """Create a token that may read ``path`` of the mount ``secret`` and nothing else of it."""
        rules = {f"{MOUNT}/data/{path}": {"capabilities": ["read"]}}
        with _client(self.port, self.root_token, self.clock) as http:
            http.send("PUT", f"/v1/sys/policies/acl/{POLICY}", json={"policy": json.dumps({"path": rules})})
            wanted = {"policies": [POLICY], "no_parent": True, "ttl": ttl, "renewable": renewable}
            made = http.send("POST", "/v1/auth/token/create", json=wanted).json()
        return Secret(made["auth"]["client_token"])

    def seal(self) -> None:
        """Seal it: it answers nothing but its state until :meth:`unseal`."""
        with _client(self.port, self.root_token, self.clock) as http:
            http.send("PUT", "/v1/sys/seal")

    def unseal(self) -> None:
        """Unseal it with the kept key. Harmless when it is unsealed."""
        with _client(self.port, None, self.clock) as http:
            http.send("PUT", "/v1/sys/unseal", json={"key": _kept(self.folder)["keys"][0]}, safe_to_repeat=True)


def start_openbao(
    folder: Path,
    *,
    port: int = 0,
    clock: Clock | None = None,
    remember: Callable[[Child], object] = lambda _: None,
) -> Running:
    """Start OpenBao with its data in ``folder``; return it unsealed, with a KV v2 mount at ``secret/``.

    ``port`` 0 takes a free one. Safe to repeat after it was stopped: what was stored is there.
    Raises UsageError without a bao binary and Unreachable when it does not come up.
    """
    clock = clock or SystemClock()
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    port = claim_port(port)
    config = folder / "openbao.json"
    (folder / "data").mkdir(exist_ok=True, mode=0o700)
    write_whole(config, json.dumps(configuration(folder, port=port, cluster_port=free_port()), indent=1))
    env = {"PATH": os.environ.get("PATH", ""), "HOME": str(folder)}
    argv = [program("bao"), "server", f"-config={config}"]
    child = process.start("openbao", argv, folder=folder, env=env, remember=remember)
    running = Running(child=child, port=port, folder=folder, clock=clock)
    try:
        process.wait_ready(child, lambda: _health(running), clock=clock)
        _initialise(running)
        running.unseal()
        process.wait_ready(child, lambda: _active(running), clock=clock)
        _mount(running)
    except BaseException:
        process.stop(child)
        raise
    return running


def configuration(folder: Path, *, port: int, cluster_port: int) -> dict[str, Any]:
    """Return the server's JSON configuration (openbao.org/docs/configuration).

    Raft keeps the data: the server has no plain file storage any more.
    """
    cluster = f"127.0.0.1:{cluster_port}"
    return {
        "storage": {"raft": {"path": str(folder / "data"), "node_id": "lab", "performance_multiplier": "1"}},
        "cluster_addr": f"https://{cluster}",
        "listener": [{"tcp": {"address": f"127.0.0.1:{port}", "cluster_address": cluster, "tls_disable": True}}],
        "api_addr": f"http://127.0.0.1:{port}",
        "ui": False,
        "log_level": "warn",
    }


def _initialise(running: Running) -> None:
    with _client(running.port, None, running.clock) as http:
        if http.get("/v1/sys/init")["initialized"]:
            return
        made = http.send("PUT", "/v1/sys/init", json={"secret_shares": 1, "secret_threshold": 1}).json()
    write_whole(running.folder / "init.json", json.dumps(made), mode=0o600)


def _mount(running: Running) -> None:
    with _client(running.port, running.root_token, running.clock) as http:
        if f"{MOUNT}/" not in http.get("/v1/sys/mounts")["data"]:
            http.send("POST", f"/v1/sys/mounts/{MOUNT}", json={"type": "kv", "options": {"version": "2"}})
    process.wait_ready(running.child, lambda: _writable(running), clock=running.clock)


def _writable(running: Running) -> bool | None:
    # A fresh KV v2 mount answers 400 while it upgrades its storage.
    try:
        running.write("lab/probe", {"state": "ready"})
    except HttpStatus:
        return None
    return True


def _health(running: Running) -> dict[str, Any] | None:
    try:
        with _client(running.port, None, running.clock) as http:
            said: dict[str, Any] = http.get("/v1/sys/health", params=HEALTH, budget=0.1)
    except HomelabError:
        return None
    return said


def _active(running: Running) -> bool | None:
    said = _health(running)
    return True if said and not said["sealed"] and not said["standby"] else None


def _kept(folder: Path) -> dict[str, Any]:
    path = folder / "init.json"
    try:
        kept: dict[str, Any] = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise PersonNeeded(
            f"the lab's OpenBao cannot be unsealed: {path} is missing or damaged",
            why="it alone holds the key of the data beside it",
            fix="homelab lab down, then: homelab lab up",
        ) from error
    return kept


@contextmanager
def _client(port: int, token: Secret | None, clock: Clock) -> Iterator[JsonHttp]:
    from homelab.http.client import Client

    site = Site(f"http://127.0.0.1:{port}", name="OpenBao", token_header="X-Vault-Token")
    http = Client(site, token=token, clock=clock, budget=10.0)
    try:
        yield http
    finally:
        http.close()
