"""The node: a scheduler, a kubelet, and a runtime that plays what an image's labels describe.

Layer: beside the controllers, above the API.
"""
