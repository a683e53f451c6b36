"""The kubeconfig clients of the lab use. Layer: pure."""

from __future__ import annotations

import base64
import json

CONTEXT = "lab"


def kubeconfig(url: str, authority: str, token: str, *, namespace: str = "default") -> str:
    """Return a kubeconfig (JSON, which is YAML) with one context, ``lab``; ``authority`` is PEM."""
    trusted = base64.b64encode(authority.encode()).decode()
    body = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": CONTEXT,
        "clusters": [{"name": CONTEXT, "cluster": {"server": url, "certificate-authority-data": trusted}}],
        "users": [{"name": CONTEXT, "user": {"token": token}}],
        "contexts": [{"name": CONTEXT, "context": {"cluster": CONTEXT, "user": CONTEXT, "namespace": namespace}}],
    }
    return json.dumps(body, indent=2) + "\n"
