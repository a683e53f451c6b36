"""The digests under which a registry has a version: asked beside the wait, never in its way.

Each question has a thread and a budget; its answer rings the wait's wake. A registry that is away or refuses
costs a stronger proof and one sentence, never the wait. Layer: the deploy domain, above the registry package.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from homelab.clock import Clock, Wake
from homelab.errors import HomelabError, PermissionMissing, Unreachable
from homelab.registry.image import Image
from homelab.registry.manifest import Manifest

#: All requests of one question (seconds); then the registry counts as silent.
ASK_SECONDS = 10.0
#: What a finished rollout waits at most for an answer that would only make its proof stronger.
WORTH_SECONDS = 2.0
#: Between two questions about a version that is not in the registry yet.
AGAIN_SECONDS = 15.0
#: Questions under way at the same moment.
MOST_AT_ONCE = 4


class Asker(Protocol):
    """What reaches registries."""

    def knows(self, host: str) -> bool:
        """Say whether the user's own configuration names this registry."""

    def ready(self, image: Image) -> None:
        """Load what asking for ``image`` needs, in the caller's thread: imports of two threads meet half-made."""

    def ask(self, image: Image) -> Manifest | None:
        """Return the manifest, None where there is none; called in a thread. Raises HomelabError."""


@dataclass(frozen=True, slots=True)
class Question:
    """Under which digests does a repository have a version? ``images`` are its possible names, tried in order."""

    repository: str
    images: tuple[Image, ...]
    #: The reference cannot be judged without the answer; otherwise it only makes the proof stronger.
    needed: bool


@dataclass(frozen=True, slots=True)
class Answers:
    """What is known now: digests by repository, until when more may come, why something never will."""

    content: Mapping[str, frozenset[str]] = field(default_factory=dict)
    asking_until: float | None = None
    unanswered: str = ""


@dataclass(slots=True)
class _Asked:
    """One question's state; the thread writes it once, ``done`` last."""

    at: float
    digests: frozenset[str] = frozenset()
    why: str = ""
    done: bool = False
    #: The registry answered that it has none: perhaps not yet.
    missing: bool = False


def in_thread(work: Callable[[], None]) -> None:
    """Run ``work`` in a daemon thread: a registry that hangs must not keep the process alive."""
    threading.Thread(target=work, name="registry", daemon=True).start()


class Digests:
    """Asks each question of a wait once; again only while the version is not there yet."""

    def __init__(self, asker: Asker, *, start: Callable[[Callable[[], None]], None] = in_thread) -> None:
        """Ask nothing yet."""
        self._asker, self._start = asker, start
        self._asked: dict[Question, _Asked] = {}
        #: Hosts that could not be reached, and why: not asked again.
        self._away: dict[str, str] = {}
        self._wake = Wake()

    def wait(self, clock: Clock, seconds: float) -> None:
        """Let an answer come, at most for ``seconds``."""
        clock.wait(self._wake, seconds)

    def rings(self, wake: Wake) -> None:
        """Let answers that come late ring ``wake``."""
        self._wake = wake

    def answers(self, questions: Iterable[Question], *, now: float) -> Answers:
        """Return what is known of these by ``now``, after starting what has not been asked."""
        content: dict[str, frozenset[str]] = {}
        until: list[float] = []
        unanswered = ""
        for question in questions:
            asked = self._state(question, now)
            if asked is None:
                continue
            patience = ASK_SECONDS if question.needed else WORTH_SECONDS
            if asked.done:
                content[question.repository] = content.get(question.repository, frozenset()) | asked.digests
                unanswered = unanswered or asked.why
            elif now < asked.at + patience:
                until.append(asked.at + patience)
            else:
                unanswered = unanswered or f"{question.images[0].host} did not answer in {patience:.0f} s"
        found = {repository: digests for repository, digests in content.items() if digests}
        return Answers(found, max(until, default=None), unanswered)

    def _state(self, question: Question, now: float) -> _Asked | None:
        """Return how a question stands, asking it where that is due; None where it is not worth asking."""
        host = question.images[0].host
        asked = self._asked.get(question)
        if asked is not None and not (asked.missing and now - asked.at >= AGAIN_SECONDS):
            return asked
        if not question.needed and not self._asker.knows(host):
            return None
        if sum(not one.done and now < one.at + ASK_SECONDS for one in self._asked.values()) >= MOST_AT_ONCE:
            return _Asked(now) if question.needed else None
        asked = self._asked[question] = _Asked(now, why=self._away.get(host, ""), done=host in self._away)
        if not asked.done:
            self._asker.ready(question.images[0])
            self._start(lambda: self._ask(question, asked))
        return asked

    def _ask(self, question: Question, asked: _Asked) -> None:
        host = question.images[0].host
        try:
            found = next((one for one in map(self._asker.ask, question.images) if one is not None), None)
        except PermissionMissing as error:
            asked.why = error.what
        except Unreachable as error:
            asked.why = self._away[host] = error.what
        except HomelabError as error:
            asked.why = error.what
        except Exception as error:  # noqa: BLE001 -- in a thread: a bug here costs a proof, not a traceback
            asked.why = f"asking {host} failed: {type(error).__name__}"
        else:
            asked.digests = found.digests if found else frozenset()
            asked.missing = found is None
            asked.why = "" if found else f"{question.images[0].shown} is not in the registry"
        finally:
            asked.done = True
            self._wake.ring()
