"""Pod templates: their hash, their likeness, and the pods made from them. Layer: pure.

From ``pkg/controller/controller_utils.go``: the hash here is another function of the template, which clients may not
depend on; its alphabet and place in names and labels are the same.
"""

from __future__ import annotations

import hashlib

from homelab.lab.kubernetes.objects import Object, canonical, copy, owner_reference

TEMPLATE_HASH = "pod-template-hash"
_ALPHABET = "bcdfghjklmnpqrstvwxz2456789"


def safe_encode(number: int, length: int = 10) -> str:
    """Return ``number`` in letters that make no words."""
    letters = ""
    while number and len(letters) < length:
        number, rest = divmod(number, len(_ALPHABET))
        letters += _ALPHABET[rest]
    return letters


def template_hash(template: Object, collisions: int = 0) -> str:
    """Return the label value that names this template; ``collisions`` makes another one of the same template."""
    text = canonical([template, collisions or None])
    return safe_encode(int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big"))


def same_template(one: Object, other: Object) -> bool:
    """Say whether two templates are equal, leaving out the hash label."""
    return canonical(_without_hash(one)) == canonical(_without_hash(other))


def _without_hash(template: Object) -> Object:
    bare = copy(template)
    (bare.get("metadata", {}).get("labels") or {}).pop(TEMPLATE_HASH, None)
    return bare


def pod_from(owner: Object, template: Object, name: str = "") -> Object:
    """Return a pod made from ``template`` and controlled by ``owner``; ``name`` or else a generated one."""
    meta = {key: copy(value) for key, value in (template.get("metadata") or {}).items() if value and key != "name"}
    prefix = f"{owner['metadata']['name']}-"
    meta |= {"name": name} if name else {"generateName": prefix}
    meta["namespace"] = owner["metadata"]["namespace"]
    meta["ownerReferences"] = [owner_reference(owner)]
    return {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": copy(template["spec"])}
