"""``mount/path#field``: where in Vault a value lies. Pure. Layer: secrets."""

from __future__ import annotations

from dataclasses import dataclass

from homelab.errors import UsageError


@dataclass(frozen=True, slots=True)
class Reference:
    """A field of a secret. ``path`` begins with the mount; how far the mount reaches, Vault knows."""

    path: str
    field: str

    @classmethod
    def parse(cls, text: str) -> Reference:
        """Take ``mount/path#field`` apart. Raises UsageError."""
        path, hash_, field = text.strip().partition("#")
        path = path.strip("/")
        parts = path.split("/")
        if not hash_ or not field or len(parts) < 2 or any(part in {"", ".", ".."} for part in parts):  # noqa: PLR2004
            raise UsageError(
                f"token_vault cannot be used: {text!r}",
                why="it must be mount/path#field, such as secret/homelab/ci#token",
                fix="correct token_vault; where it is set: homelab config show",
            )
        return cls(path=path, field=field)

    def __str__(self) -> str:
        """As it is typed."""
        return f"{self.path}#{self.field}"

    def below(self, mount: str) -> str:
        """Return the path inside ``mount``."""
        return self.path.removeprefix(mount.strip("/")).strip("/")
