"""Whether the pods that run are the ones made from the new template. Pure.

Layer: the deploy domain, above model and reference.
"""

from __future__ import annotations

from homelab.deploy.model import Container, ContainerStatus, Pod
from homelab.deploy.reference import rewritten


def unproven(pod: Pod, template: tuple[Container, ...]) -> str:
    """Return why ``pod`` does not prove that the template runs, or "" when it does."""
    if not pod.ready:
        return f"{pod.name} is not Ready"
    statuses = {(status.name, status.init): status for status in pod.containers}
    for container in template:
        status = statuses.get((container.name, container.init))
        if status is None:
            return f"{pod.name} has no container {container.name}"
        why = _unproven_container(container, status)
        if why:
            return f"{pod.name} {why}"
    return ""


def _unproven_container(container: Container, status: ContainerStatus) -> str:
    if rewritten(container.image, status.image) is False:
        return f"runs {status.image}, the template says {container.image}"
    if status.init and not status.sidecar:
        return ""
    if not status.running:
        return f"container {status.name} is not running"
    if not status.image_id:
        return f"container {status.name} has no image yet"
    return "" if status.ready else f"container {status.name} is not ready"


def short_of_proof(new: list[Pod], old: list[Pod], template: tuple[Container, ...], want: int) -> str:
    """Return what is missing until ``want`` pods of the new revision prove it and no old one lives, or ""."""
    missing = [why for why in (unproven(pod, template) for pod in new if pod.live) if why]
    proven = sum(1 for pod in new if pod.live) - len(missing)
    if proven < want:
        return missing[0] if missing else f"{proven}/{want} pods of the new revision"
    living = [pod.name for pod in old if pod.live]
    return f"old pod {living[0]} still serves" if living else ""


def mirrors(new: list[Pod], template: tuple[Container, ...]) -> tuple[str, ...]:
    """Return each image a webhook rewrote to a mirror's, as ``template -> live``."""
    images = {(container.name, container.init): container.image for container in template}
    found = [
        f"{images[status.name, status.init]} -> {status.image}"
        for pod in new
        for status in pod.containers
        if (status.name, status.init) in images and rewritten(images[status.name, status.init], status.image)
    ]
    return tuple(dict.fromkeys(found))
