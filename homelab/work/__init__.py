"""The loop: start, land, list, clean."""
