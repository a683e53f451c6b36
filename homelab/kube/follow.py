"""A followed log: lines as they come, over as many connections as it takes. Layer: the Kubernetes adapter."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import urllib3
from urllib3.exceptions import HTTPError, ReadTimeoutError

from homelab.clock import Clock
from homelab.errors import CertificateRefused, HttpStatus, Unreachable, WrongService
from homelab.kube import answers
from homelab.kube.port import Params
from homelab.kube.stream import pieces_of_lines

#: A server that restarts is back in this time.
LOST_SECONDS = 60.0
PAUSE = 1.0


@dataclass(slots=True)
class Place:
    """How far a log was read: the last line's stamp, and how many lines with that stamp were given.

    A log asked for again begins with the whole second of its ``sinceTime``; what was given is passed over.
    """

    last: str = ""
    given: int = 0
    _to_pass: int = 0
    _passing: bool = False

    def start(self, tail: int) -> Params:
        """Return the parameters that begin here."""
        if not self.last:
            return {"tailLines": tail}
        self._passing, self._to_pass = True, self.given
        return {"sinceTime": self.last}

    def fresh(self, stamp: str) -> bool:
        """Say whether the next line was not given yet, and count it as given."""
        if self._passing and stamp < self.last:
            return False
        if self._passing and stamp == self.last and self._to_pass > 0:
            self._to_pass -= 1
            return False
        self._passing = False
        self.given = self.given + 1 if stamp == self.last else 1
        self.last = stamp
        return True


class Followed:
    """Iterates over the lines of one container's log until it ends.

    Raises HttpStatus where the log is not to be had (400: not started, 404: gone), Unreachable when the
    server stays away for longer than :data:`LOST_SECONDS`.
    """

    def __init__(
        self,
        open_: Callable[[Params], urllib3.BaseHTTPResponse],
        *,
        tail: int,
        server: str,
        path: str,
        clock: Clock,
    ) -> None:
        """``open_`` asks for the log from a place on."""
        self._open, self._tail, self._server, self._path, self._clock = open_, tail, server, path, clock
        self._place = Place()
        self._lost_at: float | None = None

    def __iter__(self) -> Iterator[str]:
        """Yield the lines."""
        while True:
            response = self._opened()
            if response is None:
                continue
            try:
                for stamp, line in _stamped(response):
                    self._lost_at = None
                    if self._place.fresh(stamp):
                        yield line
            except ReadTimeoutError:
                self._lost_at = None
            except (HTTPError, OSError) as error:
                self._bear(answers.no_answer(self._server, self._path, f"the log broke off: {error}"))
            else:
                return
            finally:
                response.close()

    def _opened(self) -> urllib3.BaseHTTPResponse | None:
        try:
            return self._open(self._place.start(self._tail))
        except (CertificateRefused, WrongService):
            raise
        except Unreachable as error:
            if isinstance(error, HttpStatus) and error.status not in answers.MAY_PASS:
                raise
            self._bear(error)
            return None

    def _bear(self, error: Unreachable) -> None:
        """Pause before the next try, unless the server has been away for too long."""
        now = self._clock.monotonic()
        if self._lost_at is None:
            self._lost_at = now
        elif now - self._lost_at >= LOST_SECONDS:
            raise error
        wanted = error.retry_after if isinstance(error, HttpStatus) else None
        self._clock.sleep(min(PAUSE if wanted is None else wanted, LOST_SECONDS))


def _stamped(response: urllib3.BaseHTTPResponse) -> Iterator[tuple[str, str]]:
    """Yield (stamp, line) of a log with timestamps."""
    for lines in pieces_of_lines(response):
        for line in lines:
            stamp, _, text = line.decode(errors="replace").partition(" ")
            yield stamp, text
