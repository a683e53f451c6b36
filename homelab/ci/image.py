"""``ci wait --image``: until the image that CI pushes for a commit is in its registry. Layer: ci use case."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from homelab import poll
from homelab.clock import Clock
from homelab.errors import HomelabError, Unreachable
from homelab.events import Emit, Event
from homelab.outcome import Outcome
from homelab.registry.client import Registry
from homelab.registry.image import Image
from homelab.result import Result
from homelab.spoken import duration

EVERY = 3.0
#: A registry that answered once may be away this long (seconds).
AWAY = 120.0


@dataclass(frozen=True, slots=True)
class ImageAwaited(Event):
    """The image is not there yet."""

    kind: ClassVar[str] = "ci.image.awaited"
    detail: ClassVar[bool] = True
    image: str

    def sentence(self) -> str:
        """Say what is waited for."""
        return f"{self.image} is not there yet"


@dataclass(frozen=True, slots=True)
class ImageResult(Result):
    """Whether the image is there, and its digest."""

    image: str = ""
    digest: str = ""
    next: tuple[str, ...] = ()

    def lines(self) -> list[str]:
        """Return the image pinned by its digest, which deploys can use as it is; and what to type next."""
        pinned = [f"{self.image}@{self.digest}"] if self.digest else []
        return pinned + [f"next: {command}" for command in self.next]

    def record(self) -> dict[str, Any]:
        """Return tag and digest."""
        return {"image": self.image, "digest": self.digest or None, "next": list(self.next)}


def expand(pattern: str, oid: str) -> str:
    """Put the commit into ``{sha}``, ``{sha12}`` and ``{sha7}``; an image without a tag gets the full id as one."""
    for name, length in (("{sha12}", 12), ("{sha7}", 7), ("{sha}", len(oid))):
        pattern = pattern.replace(name, oid[:length])
    last = pattern.rpartition("/")[2]
    return pattern if ":" in last or "@" in last else f"{pattern}:{oid}"


def wait_image(
    image: Image, registry: Registry, *, timeout: float, again: str, clock: Clock, emit: Emit
) -> ImageResult:
    """Wait until the registry has the manifest, at most ``timeout`` seconds; ``again`` is the command that continues.

    Raises PermissionMissing where the registry refuses, Unreachable where it cannot be asked.
    """
    began = clock.monotonic()
    look = _Look(registry, clock)
    emit(ImageAwaited(image=image.shown))
    digest = poll.until(look, clock=clock, emit=emit, waiting_for=image.shown, every=lambda: EVERY, deadline=timeout)
    if digest is None:
        waited = duration(clock.monotonic() - began)
        headline = f"{image.shown} is not in the registry after {waited}"
        return ImageResult(Outcome.PENDING, headline, image.shown, next=("homelab ci status", again))
    return ImageResult(Outcome.DONE, f"{image.shown} is there: {digest[:19]}", image.shown, digest)


class _Look:
    """One look at the registry; rides out a short absence once it has answered."""

    def __init__(self, registry: Registry, clock: Clock) -> None:
        self._registry, self._clock = registry, clock
        self._answered: float | None = None

    def __call__(self) -> str | None:
        try:
            found = self._registry.digest()
        except Unreachable as error:
            self._endure(error)
            return None
        self._answered = self._clock.monotonic()
        return found

    def _endure(self, error: HomelabError) -> None:
        if self._answered is None or self._clock.monotonic() - self._answered >= AWAY:
            raise error
