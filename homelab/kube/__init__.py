"""Kubernetes, translated into dictionaries. Home of the kubernetes client."""
