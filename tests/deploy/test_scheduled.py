"""A CronJob through its next run: its Job does the work, with the image, or it does not."""

from __future__ import annotations

from dataclasses import replace

import pytest

from homelab.deploy.reference import Wanted
from homelab.deploy.request import DeployResult, WaitRequest
from homelab.deploy.wait import wait
from homelab.events import Event
from homelab.outcome import Outcome
from homelab.settings.model import DeployTarget
from tests.deploy.fakes import FakeCluster, Objects, typed
from tests.deploy.objects import FULL, OLD, WANTED, Json, owner, stamp, template
from tests.fakes import FakeClock

REQUEST = WaitRequest(targets=(DeployTarget("t", "web", "cronjob"),), wanted=Wanted(oid=FULL), run=True)


def cron(img: str = WANTED) -> Json:
    return {
        "metadata": {"name": "web", "namespace": "t", "uid": "cron", "generation": 1},
        "spec": {"schedule": "*/5 * * * *", "jobTemplate": {"spec": {"template": template(img)}}},
    }


def job(name: str, *, at: float, end: str = "", img: str = WANTED, owned: str = "cron") -> Json:
    conditions = (
        [{"type": end, "status": "True", "reason": "BackoffLimitExceeded", "message": "gave up"}] if end else []
    )
    return {
        "metadata": {
            "name": name,
            "namespace": "t",
            "uid": name,
            "generation": 1,
            "creationTimestamp": stamp(at),
            "ownerReferences": owner("CronJob", "web", owned),
        },
        "spec": {"completions": 1, "template": template(img)},
        "status": {"succeeded": 1 if end == "Complete" else 0, "active": 0 if end else 1, "conditions": conditions},
    }


EARLIER = [job("web-1", at=-300, end="Complete"), job("other-1", at=20, end="Complete", owned="else")]


def scene(*jobs: Json, img: str = WANTED) -> Objects:
    return {"cronjobs": [cron(img)], "jobs": [*EARLIER, *jobs]}


def go(clock: FakeClock, events: list[Event], *scenes: tuple[float, Objects], **words: float) -> DeployResult:
    cluster = FakeCluster(clock, scenes)
    return wait(typed(cluster), replace(REQUEST, **words), clock=clock, emit=events.append)


@pytest.mark.parametrize(("end", "outcome"), [("Complete", Outcome.DONE), ("Failed", Outcome.RED)])
def test_the_next_job_it_makes_decides(clock: FakeClock, events: list[Event], end: str, outcome: Outcome) -> None:
    result = go(
        clock, events, (0, scene()), (60, scene(job("web-2", at=60))), (90, scene(job("web-2", at=60, end=end)))
    )
    assert result.outcome is outcome
    assert result.headline.startswith("t/web: web-2: ")
    assert 90 <= clock.elapsed <= 100


def test_a_run_of_the_template_before_is_not_the_one_waited_for(clock: FakeClock, events: list[Event]) -> None:
    stale = job("web-2", at=10, end="Complete", img=OLD)
    scenes = (
        (0, scene(img=OLD)),
        (5, scene()),
        (12, scene(stale)),
        (60, scene(stale, job("web-3", at=60, end="Complete"))),
    )
    assert go(clock, events, *scenes).headline.startswith("t/web: web-3: ")


def test_no_run_before_the_deadline_is_pending_and_says_how_to_start_one(clock: FakeClock, events: list[Event]) -> None:
    result = go(clock, events, (0, scene()), timeout=30.0)
    assert result.outcome is Outcome.PENDING
    assert result.targets[0].hint == "kubectl create job --from=cronjob/web web-now -n t"


def test_without_run_its_template_is_enough(clock: FakeClock, events: list[Event]) -> None:
    assert go(clock, events, (0, scene()), run=False).outcome is Outcome.DONE
    assert clock.elapsed == 0.0
