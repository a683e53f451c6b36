"""A lab cluster in a thread of this process, for tests. Layer: top of the lab cluster."""

from __future__ import annotations

import asyncio
import json
import secrets
import ssl
import tempfile
import threading
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from homelab.lab.kubernetes.certificates import make_certificates
from homelab.lab.kubernetes.cluster import Cluster
from homelab.lab.kubernetes.kubeconfig import kubeconfig
from homelab.lab.kubernetes.node.images import Images, NoRegistry, RegistryImages
from homelab.lab.kubernetes.node.speeds import Speeds
from homelab.lab.kubernetes.objects import Object
from homelab.lab.kubernetes.server import Server

T = TypeVar("T")


@dataclass(slots=True)
class RunningCluster:
    """A served cluster. ``server`` may be touched only through :meth:`inside`."""

    url: str
    authority: str
    token: str
    server: Server
    _loop: asyncio.AbstractEventLoop

    def inside(self, act: Callable[[Server], T]) -> T:
        """Run ``act`` on the cluster's own thread and return what it returns."""

        async def call() -> T:
            return act(self.server)

        return asyncio.run_coroutine_threadsafe(call(), self._loop).result(timeout=10)

    def kubeconfig(self, path: Path, *, namespace: str = "default", token: str = "") -> Path:
        """Write a kubeconfig for this cluster and return its path; ``token`` other than the administrator's."""
        path.write_text(kubeconfig(self.url, self.authority, token or self.token, namespace=namespace))
        path.chmod(0o600)
        return path

    def lab(self, path: str, body: Object | None = None) -> Any:
        """Do what ``/_lab/<path>`` does."""
        return self.request("POST", f"/_lab/{path}", body or {})

    def request(self, method: str, path: str, body: Object | None = None, **headers: str) -> Any:
        """Return the JSON answer to one request with the administrator's token; raises HTTPError."""
        raw = None if body is None else json.dumps(body).encode()
        sent = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        request = urllib.request.Request(self.url + path, data=raw, method=method, headers=sent)
        trusting = urllib.request.HTTPSHandler(context=ssl.create_default_context(cadata=self.authority))
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), trusting)
        with opener.open(request, timeout=10) as answer:
            return json.loads(answer.read())


@contextmanager
def running_cluster(
    *, registry: str = "", images: Images | None = None, speeds: Speeds | None = None, nodes: int = 1
) -> Iterator[RunningCluster]:
    """Serve a cluster while the block runs; images come from ``images``, else from the registry at ``registry``."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="lab-kubernetes", daemon=True)
    thread.start()

    def run(what: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(what, loop).result(timeout=10)

    source = images or (RegistryImages(registry) if registry else NoRegistry())
    token = secrets.token_urlsafe(16)
    cluster = Cluster(source, speeds=speeds, nodes=nodes)
    server = Server(cluster, token)

    with tempfile.TemporaryDirectory() as folder:
        certificates = make_certificates(Path(folder))

    async def start() -> int:
        cluster.populate()
        return await server.start(tls=certificates.context)

    try:
        port = run(start())
        yield RunningCluster(f"https://127.0.0.1:{port}", certificates.authority, token, server, loop)
    finally:
        run(server.stop())
        if isinstance(source, RegistryImages):
            run(source.close())
        loop.call_soon_threadsafe(loop.stop)
        thread.join(timeout=5)
        loop.close()
