"""Woodpecker: the client, and how its answers become ours."""
