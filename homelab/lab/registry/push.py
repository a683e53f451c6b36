"""``python -m homelab.lab.registry.push REF --to URL``: make an image of this folder and push it. Layer: entry point.

Standard library only: it runs as a step of the sample app's pipeline and has to start fast.
"""

from __future__ import annotations

import argparse
import http.client
import sys
from pathlib import Path
from urllib.parse import urljoin, urlsplit

from homelab.lab.registry.digest import digest_of
from homelab.lab.registry.image import MANIFEST, REVISION, BuiltImage, build
from homelab.lab.registry.reference import Reference, parse

_TIMEOUT = 30.0
_OK, _CREATED, _ACCEPTED, _MISSING = 200, 201, 202, 404


class PushFailed(Exception):
    """The registry did not take the image; the text says what and why."""


def main(argv: list[str] | None = None) -> int:
    """Build, push, print the reference with its digest; return 0, 1 (not pushed) or 2 (usage)."""
    parser = argparse.ArgumentParser(prog="python -m homelab.lab.registry.push", description=__doc__)
    parser.add_argument("reference", help="what the image is called: registry/path:tag")
    parser.add_argument("--to", required=True, metavar="URL", help="where the registry listens")
    parser.add_argument("--label", action="append", default=[], metavar="KEY=VALUE", help="a label (repeatable)")
    parser.add_argument("--revision", default="", metavar="SHA", help=f"the commit: label {REVISION}")
    parser.add_argument("--folder", type=Path, default=Path(), help="whose files go in (the current folder)")
    options = parser.parse_args(argv)
    reference = parse(options.reference)
    if reference is None or reference.digest:
        parser.error(f"{options.reference!r} is not a reference with a tag; write registry/path:tag")
    labels = dict(label.partition("=")[::2] for label in options.label)
    if options.revision:
        labels[REVISION] = options.revision
    image = build(options.folder, labels)
    try:
        push(image, reference, options.to)
    except (PushFailed, OSError, http.client.HTTPException) as error:
        sys.stderr.write(f"push: {reference} did not reach {options.to}: {error}\n")
        return 1
    sys.stdout.write(f"{reference}@{image.digest}\n")
    return 0


def push(image: BuiltImage, reference: Reference, url: str) -> None:
    """Push what the registry at ``url`` does not have; raises PushFailed or OSError."""
    where = urlsplit(url)
    kind = http.client.HTTPSConnection if where.scheme == "https" else http.client.HTTPConnection
    connection = kind(where.netloc, timeout=_TIMEOUT)
    try:
        for blob in (image.config, image.layer):
            _push_blob(connection, f"/v2/{reference.path}", blob)
        path = f"/v2/{reference.path}/manifests/{reference.tag}"
        _ask(connection, "PUT", path, image.manifest, expected=(_CREATED,), content_type=MANIFEST)
    finally:
        connection.close()


def _push_blob(connection: http.client.HTTPConnection, base: str, blob: bytes) -> None:
    name = digest_of(blob)
    if _ask(connection, "HEAD", f"{base}/blobs/{name}", b"", expected=(_OK, _MISSING))[0] == _OK:
        return
    _, location = _ask(connection, "POST", f"{base}/blobs/uploads/", b"", expected=(_ACCEPTED,))
    target = urlsplit(urljoin(f"{base}/blobs/uploads/", location))
    query = f"{target.query}&" if target.query else ""
    _ask(connection, "PUT", f"{target.path}?{query}digest={name}", blob, expected=(_CREATED,))


def _ask(
    connection: http.client.HTTPConnection,
    method: str,
    path: str,
    body: bytes,
    *,
    expected: tuple[int, ...],
    content_type: str = "application/octet-stream",
) -> tuple[int, str]:
    """Return (status, Location) of one request."""
    connection.request(method, path, body, {"Content-Type": content_type, "Content-Length": str(len(body))})
    answer = connection.getresponse()
    text = answer.read(400).decode("utf-8", "replace")
    answer.read()
    if answer.status not in expected:
        raise PushFailed(f"{method} {path} answered {answer.status} {answer.reason}: {text}")
    return answer.status, answer.headers.get("Location", "")


if __name__ == "__main__":
    sys.exit(main())
