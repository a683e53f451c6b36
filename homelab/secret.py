"""A value that never prints itself. Layer: vocabulary."""

from __future__ import annotations


class Secret:
    """A token. ``repr``, ``str`` and format show nothing; only :meth:`reveal` gives it out."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        """Keep ``value`` out of every representation."""
        self._value = value

    def reveal(self) -> str:
        """Return the value. Call it only where it goes on the wire."""
        return self._value

    def __repr__(self) -> str:
        """Show nothing of the value."""
        return "Secret()"

    __str__ = __repr__

    def __eq__(self, other: object) -> bool:
        """Compare by value, so that tests can."""
        return isinstance(other, Secret) and other._value == self._value

    def __hash__(self) -> int:
        """Hash by value."""
        return hash(self._value)

    def __reduce__(self) -> str | tuple[object, ...]:
        """Refuse to be pickled into a file."""
        raise TypeError("a Secret does not leave the process")
