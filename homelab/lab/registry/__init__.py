"""A small OCI distribution server, and the command that pushes a tiny real image to it.

As a process: ``python -m homelab.lab.registry --state DIR --ready FILE --port 0`` keeps blobs and manifests in DIR.
``python -m homelab.lab.registry.push REF --to URL [--label k=v …] [--revision SHA]`` builds and pushes an image of the
current folder; it needs only the standard library.

Layer: the lab. Paths, headers and error codes follow the OCI distribution specification 1.1.
"""
