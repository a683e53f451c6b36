"""The HTTP face: each module has a ``ROUTES`` table that says which face has which route since which level."""
