"""One request in words: what messages and events may say about it. Pure. Layer: http."""

from __future__ import annotations

from dataclasses import dataclass

from homelab.http.port import Site
from homelab.secret import Secret

MASK = "***"


@dataclass(frozen=True, slots=True)
class Ask:
    """A request to ``site`` as a person may read it: no query, no token."""

    site: Site
    method: str
    path: str
    #: ``host`` or ``host:port`` of the public URL, and of the address TCP goes to.
    public: str
    address: str
    token: Secret | None = None

    @property
    def name(self) -> str:
        """The server's name."""
        return self.site.name

    @property
    def where(self) -> str:
        """The public URL, and the address dialed when that is another one."""
        return f"{self.site.url} (dialed at {self.address})" if self.site.dial else self.site.url

    @property
    def shown(self) -> str:
        """``GET /api/user``."""
        return f"{self.method} {self.path.partition('?')[0]}"

    @property
    def writes(self) -> bool:
        """Say whether it may change something."""
        return self.method not in {"GET", "HEAD"}

    def clean(self, text: str, limit: int = 256) -> str:
        """Return what a server said as one printable line of at most ``limit`` characters, without the token."""
        if self.token:
            text = text.replace(self.token.reveal(), MASK)
        return " ".join("".join(c if c.isprintable() else " " for c in text).split())[:limit]
