"""Runs the verification command on exactly the tree that will be pushed.

The command runs in the worktree's top, or in a clean copy; afterwards HEAD, index and files must be
as before, else what passed is not what is pushed. Layer: work domain.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from homelab.clock import Clock
from homelab.errors import NotLanded, OurBug
from homelab.events import Emit, Heartbeat
from homelab.git import child, environment
from homelab.git.redact import redact
from homelab.git.runner import Git
from homelab.outcome import Outcome
from homelab.work import checkout, events, submodules
from homelab.work.model import Verified, VerifyCommand
from homelab.work.scene import Scene
from homelab.work.worktrees import status

_TAIL = 40
_KEEP = 64 * 1024
_SAY_EVERY = 0.25


def verify(scene: Scene) -> None:
    """Verify the state's tree, unless it passed this command before. Raises NotLanded."""
    state, command = scene.state, scene.plan.command
    if command is None:
        scene.emit(events.VerifySkipped(tree=state.tree))
        return
    sha = hashlib.sha256(command.text.encode()).hexdigest()
    before = next((one for one in state.verified if (one.tree, one.command_sha256) == (state.tree, sha)), None)
    if before is not None:
        scene.emit(events.Verified(command=command.shown, tree=state.tree, seconds=before.seconds, before=True))
        return
    started = scene.clock.now()
    log = scene.store.folder / f"verify-{state.run}-{state.attempts}.log"
    with _place(scene) as place:
        env = {"HOMELAB_LAND": "1", "HOMELAB_BASE": state.base, "HOMELAB_HEAD": state.candidate}
        run = Run(
            command,
            folder=place.git.root,
            log=log,
            env={**scene.git.env, **env},
            timeout=scene.verify_timeout,
            clock=scene.clock,
            emit=scene.emit,
        )
        ended = run.execute()
        run.judge(ended)
        _require_unchanged(scene, place, log)
    passed = Verified(state.tree, sha, started, round(ended.seconds, 3), str(log))
    scene.now(verified=(*scene.state.verified, passed))
    scene.emit(events.Verified(command=command.shown, tree=state.tree, seconds=ended.seconds))


@dataclass(frozen=True, slots=True)
class _Place:
    """Where the command runs, and what was untracked there before."""

    git: Git
    untracked: frozenset[str]


@contextmanager
def _place(scene: Scene) -> Iterator[_Place]:
    if not scene.request.scratch:
        if scene.tree("HEAD") != scene.state.tree:
            raise OurBug(
                "the checked-out tree is not the one to be pushed",
                why="integration and verification disagree",
                fix="homelab work land --verify-in scratch",
            )
        yield _Place(scene.git, frozenset(status(scene.git).untracked))
        return
    with tempfile.TemporaryDirectory(prefix="homelab-verify-") as folder:
        copy = Path(folder) / scene.plan.checkout.root.name
        try:
            checkout.add(scene.git, copy, "--detach", commit=scene.state.candidate)
            if submodules.initialised(scene.git):
                submodules.update(scene.git.at(copy), init=True)
            yield _Place(scene.git.at(copy), frozenset())
        finally:
            scene.git.run("worktree", "remove", "--force", str(copy))


@dataclass(slots=True)
class _Log:
    """Writes the output to the log as it comes, and tells its newest line a few times a second."""

    file: BinaryIO
    emit: Emit
    clock: Clock
    said: float = 0.0
    rest: dict[str, bytes] = field(default_factory=dict)

    def chunk(self, stream: str, chunk: bytes) -> None:
        """Take output as it comes; the log gets whole lines, redacted."""
        whole, newline, rest = (self.rest.get(stream, b"") + chunk).rpartition(b"\n")
        self.rest[stream] = rest
        if not newline:
            return
        text = redact(whole.decode("utf-8", "replace"))
        self.file.write(text.encode() + b"\n")
        self.file.flush()
        now = self.clock.monotonic()
        if now - self.said >= _SAY_EVERY:
            self.said = now
            self.emit(events.VerifySaid(line=text.rpartition("\n")[2][:200]))

    def close(self) -> None:
        """Write what had no newline yet."""
        for rest in self.rest.values():
            self.file.write(redact(rest.decode("utf-8", "replace")).encode())


@dataclass(frozen=True, slots=True)
class Run:
    """One run of a verification command: where, with what in the environment, and how long (seconds)."""

    command: VerifyCommand
    folder: Path
    log: Path
    env: Mapping[str, str]
    timeout: float
    clock: Clock
    emit: Emit

    def execute(self) -> child.Ended:
        """Run the command; its output goes to the log."""
        self.emit(events.VerifyStarted(command=self.command.shown, origin=self.command.origin, log=str(self.log)))
        self.log.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(self.log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            sink = _Log(file, self.emit, self.clock)
            order = child.Order(
                argv=("/bin/sh", "-c", self.command.text),
                cwd=self.folder,
                env=environment.for_commands(self.env),
                timeout=self.timeout,
                sweep=True,
                keep=_KEEP,
                on_chunk=sink.chunk,
                on_beat=lambda elapsed: self.emit(Heartbeat(waiting_for="verify", elapsed=elapsed)),
            )
            try:
                return child.run(order)
            finally:
                sink.close()

    def judge(self, ended: child.Ended) -> None:
        """Refuse a command that failed or ran out of time. Raises NotLanded with its last lines."""
        if ended.code == 0 and not ended.timed_out:
            return
        tail = self.log.read_text(encoding="utf-8", errors="replace").splitlines()[-_TAIL:]
        what = "timed out" if ended.timed_out else f"failed with exit code {ended.code}"
        raise NotLanded(
            f"{self.command.shown} {what}",
            why=f"it ran {ended.seconds:.0f}s on the tree to be pushed; nothing was pushed",
            fix=f"mend and commit, then: homelab work land  (log: {self.log})",
            details=tuple(tail),
            outcome=Outcome.VERIFY_FAILED,
        )


def _require_unchanged(scene: Scene, place: _Place, log: Path) -> None:
    """Refuse when the command changed what it verified. Raises NotLanded."""
    head = place.git.text("rev-parse", "HEAD")
    now = status(place.git)
    new = tuple(sorted(set(now.untracked) - place.untracked))
    expected = scene.state.candidate if scene.request.scratch else scene.state.tip
    if head == expected and not now.changed and (not new or scene.request.scratch):
        return
    changes = tuple(place.git.lines("diff", "--stat", "HEAD")[-20:]) if now.changed else ()
    raise NotLanded(
        "the verification command changed the worktree",
        why="what passed is not what would be pushed" if head == expected else "it moved HEAD",
        fix=f"commit or ignore what it writes, or: homelab work land --verify-in scratch  (log: {log})",
        details=(*changes, *(f"new: {path}" for path in new[:20])),
        outcome=Outcome.VERIFY_FAILED,
    )
