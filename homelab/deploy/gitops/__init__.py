"""Argo CD and Flux: what they say of what they own, and following them to the commit that is asked for."""
