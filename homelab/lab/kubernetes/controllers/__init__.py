"""The controllers that make the cluster move. Layer: above the API, beside the node.

Each has ``concerns(change)``, which names the objects to look at after a change, and ``reconcile(namespace, name)``,
which makes one look and one step and says in how many seconds it wants to look again.
"""
