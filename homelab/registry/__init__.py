"""A container registry: what a reference names, and which digests stand for it."""
