"""What Woodpecker does over time to whoever waits for a verdict, one row each; played in virtual time.

A row is a script of (second, change) on a server in memory, the question, and the one right answer.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from homelab.ci.choice import Choice
from homelab.outcome import Outcome
from tests.ci.fakes import Checkout, FakeWoodpecker, raw_pipeline, raw_step, status

LANDED = Choice(target="main", landed=True)


@dataclass
class Stage:
    """The server, the clone, and the commit that is asked about."""

    server: FakeWoodpecker
    checkout: Checkout
    oid: str

    def put(self, number: int = 12, state: str = "success", **fields: Any) -> None:
        self.server.add(raw_pipeline(number, state, **{"commit": self.oid} | fields))

    def flows(self, **states: str) -> list[dict[str, Any]]:
        """Workflows by name, each with one step in the same state."""
        return [
            {
                "id": 20 + pid,
                "pid": pid,
                "name": name,
                "state": state,
                "children": [raw_step(f"{name}-step", state, number=30 + pid, exit_code=int(state == "failure"))],
            }
            for pid, (name, state) in enumerate(states.items(), 1)
        ]

    def newer(self) -> str:
        """A commit on top of ours."""
        return self.checkout.commit("newer")


Change = Callable[[Stage], object]


@dataclass(frozen=True)
class Trap:
    name: str
    outcome: Outcome
    #: What headline or reasons must say.
    says: str
    script: Sequence[tuple[float, Change]] = ()
    asked: dict[str, Any] = field(default_factory=dict)
    choice: Choice = LANDED
    #: The answer comes no earlier and no later (virtual seconds).
    within: tuple[float, float] = (0, 4000)


def at(second: float, change: Change) -> tuple[float, Change]:
    return second, change


def message(words: str) -> Change:
    """Ask about a pushed commit with these words."""

    def change(stage: Stage) -> None:
        stage.oid = stage.checkout.commit(words)
        stage.checkout.push()

    return change


def configured(text: str | None, name: str = ".woodpecker.yaml") -> Change:
    """Ask about a pushed commit with this configuration, and no other."""

    def change(stage: Stage) -> None:
        (stage.checkout.root / ".woodpecker.yaml").unlink()
        if text is not None:
            (stage.checkout.root / name).parent.mkdir(exist_ok=True)
            (stage.checkout.root / name).write_text(text)
        stage.oid = stage.checkout.commit("configure")
        stage.checkout.push()

    return change


def _two(stage: Stage) -> None:
    """Push a commit that changes docs, and on top of it one that does not."""
    stage.checkout.commit("before")
    stage.checkout.push()
    (stage.checkout.root / ".woodpecker.yaml").write_text("when:\n  path: docs/**\nsteps: []\n")
    (stage.checkout.root / "docs").mkdir()
    (stage.checkout.root / "docs" / "guide.md").write_text("words")
    stage.checkout.commit("first")
    (stage.checkout.root / "code").write_text("code")
    stage.oid = stage.checkout.commit("second")
    stage.checkout.push()


def fail(code: int) -> Change:
    return lambda stage: setattr(stage.server, "fail", status(code))


def well(stage: Stage) -> None:
    stage.server.fail = None


CLONE_FAILED = [{"type": "generic", "message": "could not load config from forge", "is_warning": False}]
WARNING = [{"type": "bad_habit", "message": "set an event", "is_warning": True}]

TRAPS = [
    # States that are not the end (server/pipeline/status.go, agent/rpc).
    Trap(
        "killed turns green when its agent reports",
        Outcome.DONE,
        "#12, 1 step",
        [
            at(0, lambda s: s.put(state="killed", workflows=s.flows(build="running"))),
            at(8, lambda s: s.put(state="success", workflows=s.flows(build="success"))),
        ],
    ),
    Trap(
        "killed turns red when its agent reports",
        Outcome.RED,
        "build/build-step: exit 1",
        [
            at(0, lambda s: s.put(state="killed", workflows=s.flows(build="running"))),
            at(8, lambda s: s.put(state="failure", workflows=s.flows(build="failure"))),
        ],
    ),
    Trap(
        "killed, its agent never reports",
        Outcome.SUPERSEDED,
        "cancelled",
        [at(0, lambda s: s.put(state="killed", workflows=s.flows(build="running")))],
        within=(30, 40),
    ),
    Trap(
        "killed hides another workflow's failure",
        Outcome.RED,
        "lint/lint-step: exit 1",
        [at(0, lambda s: s.put(state="killed", workflows=s.flows(build="killed", lint="failure")))],
    ),
    Trap(
        "a lost agent's run goes back to pending and is green in the end",
        Outcome.DONE,
        "#12",
        [
            at(0, lambda s: s.put(state="running")),
            at(10, lambda s: s.put(state="pending")),
            at(90, lambda s: s.put(state="running")),
            at(120, lambda s: s.put(state="success")),
        ],
    ),
    Trap(
        "cancelled returns before its steps have stopped",
        Outcome.SUPERSEDED,
        "cancelled by bob",
        [
            at(0, lambda s: s.put(state="running", workflows=s.flows(build="running"))),
            at(
                5,
                lambda s: s.put(
                    state="killed",
                    cancel_info={"canceled_by_user": "bob"},
                    workflows=s.flows(build="running"),
                ),
            ),
            at(11, lambda s: s.put(state="killed", cancel_info={"canceled_by_user": "bob"})),
        ],
        within=(11, 20),
    ),
    Trap(
        "a state nobody knows is waited for, not judged",
        Outcome.PENDING,
        "warming",
        [at(0, lambda s: s.put(state="warming", finished=0))],
        asked={"timeout": 120},
        within=(120, 121),
    ),
    Trap(
        "declined has no end time",
        Outcome.RED,
        "#12 declined by eve",
        [at(0, lambda s: s.put(state="declined", reviewed_by="eve", workflows=[]))],
    ),
    Trap(
        "the configuration could not be had: error without a workflow",
        Outcome.RED,
        "could not load config from forge",
        [at(0, lambda s: s.put(state="error", workflows=[], errors=CLONE_FAILED))],
    ),
    Trap(
        "warnings stand on a green run",
        Outcome.DONE,
        "#12, 1 step",
        [at(0, lambda s: s.put(errors=WARNING))],
    ),
    Trap(
        "a failure that is ignored, in a green run",
        Outcome.DONE,
        "#12, 1 step",
        [
            at(
                0,
                lambda s: s.put(
                    workflows=[
                        {"id": 1, "pid": 1, "name": "b", "state": "success", "children": [raw_step("x", "failure")]}
                    ]
                ),
            )
        ],
    ),
    # What a restart copies from the run it repeats (server/pipeline/restart.go).
    Trap(
        "a restart that was cancelled does not name who cancelled the first attempt",
        Outcome.SUPERSEDED,
        "the server does not say which",
        [at(0, lambda s: s.put(13, "killed", parent=12, cancel_info={"canceled_by_user": "bob"}))],
    ),
    Trap(
        "a restart of a replaced run is not replaced by what replaced that",
        Outcome.SUPERSEDED,
        "#16 cancelled",
        [at(0, lambda s: s.put(16, "killed", parent=12, cancel_info={"superseded_by": 15}))],
    ),
    Trap(
        "a restart of a run that a step killed is not red without a failed step",
        Outcome.SUPERSEDED,
        "#16 cancelled",
        [at(0, lambda s: s.put(16, "killed", parent=12, cancel_info={"canceled_by_step": "test"}))],
    ),
    Trap(
        "a restart that nothing matched stays pending without a workflow",
        Outcome.PERSON,
        "#13 is stuck",
        [at(0, lambda s: s.put(13, "pending", parent=12, workflows=[]))],
        within=(180, 195),
    ),
    Trap(
        "the newest attempt counts, green",
        Outcome.DONE,
        "#14",
        [at(0, lambda s: (s.put(12, "failure"), s.put(14, parent=12)))],
    ),
    Trap(
        "the newest attempt counts, red",
        Outcome.RED,
        "#14",
        [at(0, lambda s: (s.put(12), s.put(14, "failure", parent=12)))],
    ),
    Trap(
        "a restart while it is watched: the old red does not end the watch",
        Outcome.DONE,
        "#14",
        [
            at(0, lambda s: (s.put(12, "failure"), s.put(14, "running", parent=12))),
            at(20, lambda s: s.put(14, parent=12)),
        ],
    ),
    # Several runs of one commit.
    Trap(
        "a green cron of the commit does not speak for its red push",
        Outcome.RED,
        "#12",
        [at(0, lambda s: (s.put(12, "failure"), s.put(13, event="cron", cron="nightly")))],
    ),
    Trap(
        "any event: all must be green",
        Outcome.RED,
        "#13",
        [at(0, lambda s: (s.put(12), s.put(13, "failure", event="tag", branch="", ref="refs/tags/v1")))],
        choice=Choice(event="any", target="main", landed=True),
    ),
    Trap(
        "any event: a second run that comes right after the first was green",
        Outcome.RED,
        "#13",
        [at(0, lambda s: s.put(12)), at(3, lambda s: s.put(13, "failure", event="manual"))],
        choice=Choice(event="any", target="main", landed=True),
    ),
    Trap(
        "a delivery that comes twice: the second run counts",
        Outcome.RED,
        "#13",
        [at(0, lambda s: s.put(12)), at(0.8, lambda s: s.put(13, "failure"))],
    ),
    Trap(
        "a tag's run has no branch",
        Outcome.DONE,
        "#12",
        [at(0, lambda s: s.put(event="tag", branch="", ref="refs/tags/v1"))],
        choice=Choice(event="tag", target="main", landed=True),
    ),
    Trap(
        "a pull request's run names the target branch",
        Outcome.DONE,
        "#12",
        [at(0, lambda s: s.put(event="pull_request", ref="refs/pull/3/head", refspec="topic:main"))],
        choice=Choice(event="pull_request", target="main"),
    ),
    # Replaced by a newer push.
    Trap(
        "replaced by a commit that holds ours, whose red run was restarted and is green",
        Outcome.DONE,
        "#15",
        [
            at(
                0,
                lambda s: (
                    s.put(12, "killed", cancel_info={"superseded_by": 13}),
                    s.server.add(raw_pipeline(13, "failure", commit=(newer := s.newer()))),
                    s.server.add(raw_pipeline(15, commit=newer, parent=13)),
                ),
            )
        ],
    ),
    Trap(
        "cancelled by a person, though a newer push is green",
        Outcome.SUPERSEDED,
        "#12 cancelled by bob",
        [
            at(
                0,
                lambda s: (
                    s.put(12, "killed", cancel_info={"canceled_by_user": "bob"}),
                    s.server.add(raw_pipeline(13, commit=s.newer())),
                ),
            )
        ],
    ),
    # Not yet, or never.
    Trap("the run comes after a minute", Outcome.DONE, "#12", [at(60, lambda s: s.put())], within=(60, 70)),
    Trap("nothing ever comes", Outcome.NOTHING, "probably filtered", within=(90, 91)),
    Trap(
        "created, then gone: filtered",
        Outcome.NOTHING,
        "#12 was created and removed",
        [at(0, lambda s: s.put(state="created", workflows=[])), at(6, lambda s: s.server.pipelines.clear())],
        within=(6, 12),
    ),
    Trap(
        "created, then gone, and the number comes back under a new id for the same commit",
        Outcome.DONE,
        "#12",
        [
            at(0, lambda s: s.put(state="created", workflows=[])),
            at(4, lambda s: s.put(state="running", id=5000)),
            at(20, lambda s: s.put(id=5000)),
        ],
    ),
    Trap(
        "created, then gone, and the number is another commit's",
        Outcome.NOTHING,
        "#12 was created and removed",
        [
            at(0, lambda s: s.put(state="created", workflows=[])),
            at(4, lambda s: s.put(commit="c" * 40, id=5000)),
        ],
    ),
    Trap(
        "a run that had begun and is gone was deleted, not filtered",
        Outcome.NOTHING,
        "#12 had begun and is gone",
        [at(0, lambda s: s.put(state="running")), at(6, lambda s: s.server.pipelines.clear())],
        within=(15, 25),
    ),
    Trap(
        "stranded in created",
        Outcome.PERSON,
        "stuck before its configuration was read",
        [at(0, lambda s: s.put(state="created", workflows=[]))],
        within=(180, 195),
    ),
    Trap(
        "blocked, nobody approves",
        Outcome.PERSON,
        "#12 waits for approval",
        [at(0, lambda s: s.put(state="blocked"))],
        within=(0, 1),
    ),
    Trap(
        "blocked, approved while watched: workflows and steps get new ids",
        Outcome.DONE,
        "#12",
        [
            at(0, lambda s: s.put(state="blocked")),
            at(30, lambda s: s.put(state="running", workflows=s.flows(build="running"))),
            at(60, lambda s: s.put(workflows=s.flows(build="success"))),
        ],
        asked={"wait_approval": True},
    ),
    Trap(
        "blocked, declined while watched",
        Outcome.RED,
        "declined by eve",
        [
            at(0, lambda s: s.put(state="blocked")),
            at(30, lambda s: s.put(state="declined", reviewed_by="eve")),
        ],
        asked={"wait_approval": True},
    ),
    Trap(
        "skip words",
        Outcome.NOTHING,
        "the commit message says [skip ci]",
        [at(0, message("x [skip ci]"))],
        within=(15, 20),
    ),
    Trap("skip words without a space", Outcome.NOTHING, "says [CISKIP]", [at(0, message("x\n\n[CISKIP]"))]),
    Trap(
        "hyphens are no skip words",
        Outcome.NOTHING,
        "probably filtered by event, branch or path for push on main checked: active, .woodpecker.yaml, no skip words",
        [at(0, message("x [skip-ci] [ skip ci ]"))],
        within=(90, 91),
    ),
    Trap(
        "skip words stop no cron",
        Outcome.DONE,
        "#12",
        [at(0, message("x [skip ci]")), at(80, lambda s: s.put(event="cron"))],
        choice=Choice(event="cron", target="main", landed=True),
    ),
    Trap(
        "no configuration",
        Outcome.NOTHING,
        "no CI configuration at this commit",
        [at(0, configured(None))],
        within=(15, 20),
    ),
    Trap(
        "a folder of CI files without one",
        Outcome.NOTHING,
        "no CI configuration at this commit",
        [at(0, configured("words", ".woodpecker/README.md"))],
    ),
    Trap(
        "filtered by event, as the file says",
        Outcome.NOTHING,
        ".woodpecker.yaml wants the events tag, not push",
        [at(0, configured("when:\n  event: tag\nsteps: []\n"))],
        within=(15, 20),
    ),
    Trap(
        "filtered by path, as the files say",
        Outcome.NOTHING,
        "wants changes of docs/**, not of .woodpecker.yaml",
        [at(0, configured("when:\n  - event: push\n    path: docs/**\nsteps: []\n", ".woodpecker/docs.yaml"))],
        within=(15, 20),
    ),
    Trap(
        "a push of two commits, of which the first changed what the file wants",
        Outcome.NOTHING,
        "probably filtered by event, branch or path for push on main",
        [at(0, _two)],
        within=(90, 91),
    ),
    Trap(
        "inactive",
        Outcome.NOTHING,
        "team/app is not active on home",
        [at(0, lambda s: s.server.repo.update(active=False))],
        within=(0, 1),
    ),
    Trap(
        "pull requests switched off",
        Outcome.NOTHING,
        "runs nothing on pull_request",
        [at(0, lambda s: s.server.repo.update(allow_pr=False))],
        choice=Choice(event="pull_request", target="main"),
        within=(15, 20),
    ),
    # The server's own trouble.
    Trap(
        "404 for a run that is listed: nothing is concluded, then it is green",
        Outcome.DONE,
        "#12",
        [
            at(0, lambda s: (s.put(state="running"), s.server.hidden.add(12))),
            at(30, lambda s: (s.put(), s.server.hidden.clear())),
        ],
    ),
    Trap(
        "404 for a red run that is listed, beside a green one: not green",
        Outcome.RED,
        "#13",
        [
            at(0, lambda s: (s.put(12), s.put(13, "failure", event="manual"), s.server.hidden.add(13))),
            at(30, lambda s: s.server.hidden.clear()),
        ],
        choice=Choice(event="any", target="main", landed=True),
        within=(30, 40),
    ),
    Trap(
        "a burst of 401",
        Outcome.DONE,
        "#12",
        [at(0, lambda s: s.put(state="running")), at(6, fail(401)), at(40, lambda s: (well(s), s.put()))],
    ),
    Trap(
        "a burst of 404",
        Outcome.DONE,
        "#12",
        [at(0, lambda s: s.put(state="running")), at(6, fail(404)), at(40, lambda s: (well(s), s.put()))],
    ),
    Trap(
        "a long 500",
        Outcome.DONE,
        "#12",
        [at(0, lambda s: s.put(state="running")), at(6, fail(500)), at(250, lambda s: (well(s), s.put()))],
    ),
    Trap(
        "the deadline comes while the server is away: what was seen is not what is",
        Outcome.PENDING,
        "home not seen for",
        [at(0, lambda s: s.put(state="running")), at(6, fail(502))],
        asked={"timeout": 60},
        within=(60, 62),
    ),
]
