"""What stands between a create and the store: accounts, quotas, webhooks. Layer: asked by the API.

From ``plugin/pkg/admission/serviceaccount`` and apiserver ``pkg/admission/plugin/webhook``.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from homelab.lab.kubernetes.kinds import POD, SERVICE_ACCOUNT, Kind
from homelab.lab.kubernetes.objects import Object
from homelab.lab.kubernetes.quota import charge
from homelab.lab.kubernetes.refusals import Refusal, forbidden
from homelab.lab.kubernetes.store import Store


@dataclass(frozen=True, slots=True)
class Webhook:
    """One admission webhook: denies what is created of ``plural`` with ``message``, or rewrites images of pods.

    ``namespace`` empty means every namespace; ``image_to`` replaces ``image_from`` at the start of an image.
    """

    name: str = "policy.homelab.test"
    plural: str = "pods"
    namespace: str = ""
    message: str = ""
    image_from: str = ""
    image_to: str = ""


@dataclass(slots=True)
class Admission:
    """Everything asked before an object is kept."""

    store: Store
    webhooks: list[Webhook] = field(default_factory=list)

    def admit(self, kind: Kind, item: Object) -> None:
        """Change ``item`` as webhooks do, or refuse with 403 or a webhook's 400."""
        if kind == POD:
            self._account(item)
        for webhook in self.webhooks:
            if webhook.plural == kind.plural and webhook.namespace in ("", item["metadata"].get("namespace")):
                _call(webhook, item)
        charge(self.store, kind, item)

    def _account(self, pod: Object) -> None:
        name, namespace = pod["spec"].get("serviceAccountName") or "default", pod["metadata"]["namespace"]
        if name != "default" and not self.store.find(SERVICE_ACCOUNT, namespace, name):
            why = f'error looking up service account {namespace}/{name}: serviceaccount "{name}" not found'
            raise forbidden(POD, str(pod["metadata"].get("name") or ""), why)


def _call(webhook: Webhook, item: Object) -> None:
    if webhook.message:
        text = f'admission webhook "{webhook.name}" denied the request: {webhook.message}'
        raise Refusal(400, "BadRequest", text)
    spec = item.get("spec") or {}
    for container in [*(spec.get("containers") or []), *(spec.get("initContainers") or [])]:
        if webhook.image_from and container["image"].startswith(webhook.image_from):
            container["image"] = webhook.image_to + container["image"].removeprefix(webhook.image_from)
