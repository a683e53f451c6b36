"""The HTTP face: one module a family of routes, each with a ``ROUTES`` table."""
