"""``python -m homelab.lab.kubernetes``: serve a lab cluster until SIGTERM. Layer: entry point."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import logging
import secrets
import sys
from pathlib import Path

from homelab.lab.kubernetes.certificates import make_certificates
from homelab.lab.kubernetes.cluster import Cluster
from homelab.lab.kubernetes.kubeconfig import kubeconfig
from homelab.lab.kubernetes.node.images import Images, NoRegistry, RegistryImages
from homelab.lab.kubernetes.persistence import Snapshots
from homelab.lab.kubernetes.server import Server
from homelab.lab.ready import announce, told_to_stop
from homelab.whole_file import write_whole


def main(argv: list[str] | None = None) -> int:
    """Serve until told to stop; return the exit code."""
    options = _parser().parse_args(argv)
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    options.state.mkdir(parents=True, exist_ok=True)
    asyncio.run(_serve(options))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m homelab.lab.kubernetes", description=__doc__)
    parser.add_argument(
        "--state", type=Path, required=True, help="folder for objects, token, certificates and kubeconfig"
    )
    parser.add_argument("--ready", type=Path, required=True, help='file that gets {"port": N, "pid": N} when serving')
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--registry", default="", help="URL every image is pulled from, whatever registry it names")
    parser.add_argument("--token-file", type=Path, help="file with the administrator's token")
    parser.add_argument("--namespace", action="append", default=[], help="make this namespace (repeatable)")
    parser.add_argument("--nodes", type=int, default=1)
    return parser


async def _serve(options: argparse.Namespace) -> None:
    stopping = told_to_stop()
    images: Images = RegistryImages(options.registry) if options.registry else NoRegistry()
    cluster = Cluster(images, nodes=options.nodes)
    snapshots = Snapshots(cluster, options.state / "objects.json")
    snapshots.load()
    snapshots.record()
    cluster.populate()
    for name in options.namespace:
        cluster.ensure_namespace(name)
    token = _token(options)
    server = Server(cluster, token)
    certificates = make_certificates(options.state)
    port = await server.start(options.port, tls=certificates.context)
    url = f"https://127.0.0.1:{port}"
    write_whole(options.state / "kubeconfig", kubeconfig(url, certificates.authority, token))
    announce(options.ready, port)
    logging.getLogger(__name__).info("serving %s", url)
    writing = asyncio.create_task(snapshots.run())
    await stopping.wait()
    await server.stop()
    writing.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await writing
    if isinstance(images, RegistryImages):
        await images.close()


def _token(options: argparse.Namespace) -> str:
    path: Path = options.token_file or options.state / "token"
    if not path.exists():
        write_whole(path, secrets.token_urlsafe(24))
    return path.read_text().strip()


if __name__ == "__main__":
    sys.exit(main())
