"""From an app to a request and a cluster. Layer: the deploy domain, just below the verbs."""

from __future__ import annotations

from homelab.app import App
from homelab.deploy.asked import Asked, request
from homelab.deploy.request import WaitRequest
from homelab.kube.port import Cluster


def request_for(app: App, oid: str) -> WaitRequest | None:
    """Return the request to wait for ``oid`` on the repository's deploy targets; None where it has none."""
    if not app.settings.repository.deploy:
        return None
    return request_from(app, Asked(sha=oid))


def request_from(app: App, asked: Asked, context: str | None = None) -> WaitRequest:
    """Return the request for what was typed. Raises UsageError."""
    return request(
        asked,
        app.settings,
        repository=lambda: app.repository,
        namespace=lambda: cluster_for(app, context).namespace,
    )


def cluster_for(app: App, context: str | None) -> Cluster:
    """Return the cluster of ``context``, or of the settings'."""
    return app.kube(context) if context else app.cluster
