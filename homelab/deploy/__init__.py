"""Deployment: whether the new image is what runs."""
