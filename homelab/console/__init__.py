"""Renderers: the only code that knows a terminal. Home of rich."""
