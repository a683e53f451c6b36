"""A random walk over everything that can happen to a land; after every step its promises still hold.

``HOMELAB_WALKS`` sets how many walks are taken (default 2), ``HOMELAB_WALK_STEPS`` their length,
``HOMELAB_WALK_SEED`` repeats one, ``HOMELAB_WALK_SHRINK`` looks for its shortest form. The seed is printed.
"""

from __future__ import annotations

import os
import random
import shutil
import tempfile
from pathlib import Path

from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from homelab.events import Event
from homelab.outcome import Outcome
from homelab.work.abort import abort
from homelab.work.follow import Waits
from homelab.work.state import StateFile
from homelab.work.worktrees import operation, status
from tests.work.site import Recorder, Site, answer

WALKS = int(os.environ.get("HOMELAB_WALKS", "2"))
STEPS = int(os.environ.get("HOMELAB_WALK_STEPS", "12"))
SEED = int(os.environ.get("HOMELAB_WALK_SEED") or random.SystemRandom().randrange(2**32))

MOMENTS = [
    "work.base.fetched",
    "work.branch.integrated",
    "work.verify.started",
    "work.verify.passed",
    "work.push.started",
    "work.push.judged",
    "work.commit.landed",
]
PROTECTED = 'while read o n r; do test "$r" = refs/heads/main && {{ echo "{}" >&2; exit 1; }}; done; exit 0'
#: What the server does with a push to the target: hook, body.
SERVERS = {
    "takes it": ("pre-receive", "exit 0"),
    "protects it": ("pre-receive", PROTECTED.format("Gitea: Not allowed to push to protected branch main")),
    "declines it": ("pre-receive", PROTECTED.format("no ticket named")),
    "dies before": ("pre-receive", "kill -9 $PPID"),
    "dies after": ("post-receive", "kill -9 $PPID"),
}


class CrashError(BaseException):
    """The process is gone: nothing of ours catches this."""


class Crasher(Recorder):
    """A renderer that ends the process at the first event of a kind."""

    def __init__(self) -> None:
        super().__init__()
        self.at = ""

    def event(self, event: Event) -> None:
        super().event(event)
        if event.kind == self.at:
            self.at = ""
            raise CrashError


class Walk(RuleBasedStateMachine):
    """One person's clone, a remote with moods, and others who land."""

    @initialize()
    def begin(self) -> None:
        self.root = Path(tempfile.mkdtemp(prefix="walk-"))
        self.site = Site.make(self.root / "site")
        self.site.seen = self.crasher = Crasher()
        self.site.topic()
        exclude = self.site.clone / ".git/info/exclude"
        exclude.write_text("ignored.txt\n")
        (self.site.clone / "ignored.txt").write_text("the only copy\n")
        self.passed = self.site.root / "passed"
        self.passed.write_text(self.site.remote.text("rev-parse", "main^{tree}") + "\n")
        self.made: set[str] = set()
        self.theirs: set[str] = set()
        self.number = 0
        self.tips = [self.site.tip()]

    def teardown(self) -> None:
        if hasattr(self, "root"):
            shutil.rmtree(self.root, ignore_errors=True)

    @property
    def idle(self) -> bool:
        """Nothing is open in the clone."""
        found = status(self.site.git)
        return found.clean and operation(self.site.git, self.site.clone / ".git") is None

    # -- what people do ---------------------------------------------------------------------

    @rule(clash=st.booleans())
    def commit(self, *, clash: bool) -> None:
        if not self.idle:
            return
        self.number += 1
        name = "base.txt" if clash else f"own-{self.number}.txt"
        self.made.add(self.site.commit(name, f"own {self.number}\n", message=f"own {self.number}"))

    @rule(clash=st.booleans())
    def someone_lands(self, *, clash: bool) -> None:
        hooks = [self.site.remote_path / "hooks" / name for name in ("pre-receive", "post-receive")]
        kept = {hook: hook.read_text() for hook in hooks if hook.exists()}
        for hook in kept:
            hook.unlink()
        self.number += 1
        name = "base.txt" if clash else f"theirs-{self.number}.txt"
        self.theirs.add(self.site.someone_lands(name, f"theirs {self.number}\n"))
        for hook, text in kept.items():
            hook.write_text(text)
            hook.chmod(0o755)

    @rule(mood=st.sampled_from(sorted(SERVERS)))
    def server_changes_its_mood(self, mood: str) -> None:
        for name in ("pre-receive", "post-receive"):
            (self.site.remote_path / "hooks" / name).unlink(missing_ok=True)
        self.site.hook(*SERVERS[mood])

    # -- what homelab does ------------------------------------------------------------------

    @rule(
        strategy=st.sampled_from(["merge", "squash", "rebase"]),
        good=st.sampled_from([True, True, True, False]),
        crash=st.sampled_from(["", "", "", *MOMENTS]),
        ci=st.sampled_from([Outcome.DONE, Outcome.RED, Outcome.PENDING]),
        scratch=st.sampled_from([False, False, True]),
        race=st.sampled_from([False, False, True]),
    )
    def land(self, strategy: str, crash: str, ci: Outcome, *, good: bool, scratch: bool, race: bool) -> None:
        before = self.site.tip()
        verify = f"git rev-parse 'HEAD^{{tree}}' >> {self.passed}" if good else "false"
        if race:
            verify = f"sh {self._racer()}; {verify}"
        self.crasher.at = crash
        waits = Waits(ci=answer(ci), deploy=answer(Outcome.DONE))
        try:
            result = self.site.land(
                strategy=strategy, verify=verify, waits=waits, scratch=scratch and strategy != "rebase"
            )
        except CrashError:
            return
        finally:
            self.crasher.at = ""
        self._truth(result, before)

    def _racer(self) -> Path:
        """Return a script in which someone lands once, while a verification runs."""
        other, script = self.site.other(), self.site.root / "race.sh"
        self.number += 1
        script.write_text(
            f"test -e {self.site.root}/raced-{self.number} && exit 0\ntouch {self.site.root}/raced-{self.number}\n"
            f"cd {other.root}; git fetch -q; git switch -q --detach origin/main\n"
            f"echo race > race-{self.number}.txt; git add .; git commit -qm race\n"
            f"git rev-parse HEAD >> {self.site.root}/raced; git push -q origin HEAD:refs/heads/main 2>/dev/null\n"
        )
        return script

    def _is_theirs(self, oid: str) -> bool:
        raced = self.site.root / "raced"
        return oid in self.theirs or (raced.exists() and oid in raced.read_text().split())

    def _truth(self, result, before: str) -> None:
        after = self.site.tip()
        if result.landed is True:
            assert self._in_main(result.landed_oid), result
            assert int(result.outcome) in {0, 20, 21, 22, 23}
        elif result.landed is False:
            ours = not self._is_theirs(after) and after != before
            assert not ours, result
            nothing = result.kind in {"nothing", "already"}
            assert (result.outcome is Outcome.DONE) is nothing, result
        assert result.lines()[0].startswith(("LANDED ", "NOT LANDED: ", "UNKNOWN: "))
        assert result.outcome is not Outcome.BUG, result

    @rule()
    def resolve(self) -> None:
        # No precondition: what is open depends on clocks and dying servers, and a walk must draw the same every time.
        if self.idle:
            return
        for path in status(self.site.git).unmerged:
            (self.site.clone / path).write_text("resolved\n")
        self.site.git.text("add", "-u")

    @rule()
    def take_back(self) -> None:
        before = self.site.tip()
        result = abort(self.site.app())
        assert result.outcome is not Outcome.BUG
        assert self.site.tip() == before

    # -- what must always hold --------------------------------------------------------------

    def _in_main(self, oid: str) -> bool:
        return self.site.remote.run("merge-base", "--is-ancestor", oid, "main").code == 0

    @invariant()
    def what_landed_had_passed(self) -> None:
        if hasattr(self, "site"):
            oid, tree = self.site.remote.text("log", "-1", "--format=%H %T", "main").split()
            assert self._is_theirs(oid) or tree in self.passed.read_text().split(), f"{oid} landed unverified"

    @invariant()
    def the_target_only_moves_forward(self) -> None:
        if hasattr(self, "site"):
            self.tips.append(self.site.tip())
            assert self._in_main(self.tips[-2])

    @invariant()
    def no_commit_is_lost(self) -> None:
        if hasattr(self, "site"):
            reachable = set(self.site.git.lines("rev-list", "--all")) | set(self.site.remote.lines("rev-list", "--all"))
            assert self.made <= reachable

    @invariant()
    def nothing_lands_twice(self) -> None:
        if hasattr(self, "site"):
            added = self.site.remote.lines(
                "log", "--first-parent", "-m", "--diff-filter=A", "--format=", "--name-only", "main", "--", "own-*.txt"
            )
            assert len(added) == len(set(added)), added

    @invariant()
    def what_nobody_committed_is_still_there(self) -> None:
        if hasattr(self, "site"):
            assert (self.site.clone / "ignored.txt").read_text() == "the only copy\n"
            StateFile.of(self.site.clone / ".git").load()


def test_no_promise_breaks_on_any_path() -> None:
    print(f"HOMELAB_WALK_SEED={SEED}")  # noqa: T201 -- pytest shows it when the walk fails
    machine = seed(SEED)(Walk)
    case = machine.TestCase
    case.settings = settings(
        max_examples=WALKS,
        stateful_step_count=STEPS,
        deadline=None,
        database=None,
        print_blob=True,
        phases=[Phase.generate, *([Phase.shrink] if os.environ.get("HOMELAB_WALK_SHRINK") else [])],
        suppress_health_check=list(HealthCheck),
    )
    case("runTest").runTest()
