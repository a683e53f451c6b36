"""What the server tells the forge of each workflow: one commit status, written anew at every change of state.

Only when the configuration names a forge. Source: woodpecker server/forge/common/status.go,
server/forge/forgejo/forgejo.go (Status, getStatus).
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import aiohttp

from homelab.lab.woodpecker.config import Config, Repository
from homelab.lab.woodpecker.records import Pipeline, Workflow
from homelab.lab.woodpecker.states import State, Trigger

_TIMEOUT = aiohttp.ClientTimeout(total=10)
_STATES = {
    State.PENDING: ("pending", "Pipeline is pending"),
    State.BLOCKED: ("pending", "Pipeline is pending approval"),
    State.RUNNING: ("pending", "Pipeline is running"),
    State.SUCCESS: ("success", "Pipeline was successful"),
    State.FAILURE: ("failure", "Pipeline failed"),
    State.KILLED: ("failure", "Pipeline was canceled"),
    State.DECLINED: ("warning", "Pipeline was rejected"),
    State.ERROR: ("error", "Pipeline failed"),
}

Tell = Callable[[Repository, Pipeline], None]


def commit_status(host: str, repository: Repository, pipeline: Pipeline, workflow: Workflow) -> dict[str, str]:
    """Return the body of the status that a workflow's state makes. A skipped one is a failure there."""
    state, description = _STATES.get(workflow.state, ("failure", "unknown status"))
    event = "pr" if pipeline.event is Trigger.PULL_REQUEST else pipeline.event.value
    return {
        "state": state,
        "description": description,
        "context": f"ci/woodpecker/{event}/{workflow.name}",
        "target_url": f"{host}/repos/{repository.id}/pipeline/{pipeline.number}/{workflow.pid}",
    }


@dataclass(slots=True)
class _Post:
    path: str
    body: dict[str, str]


@dataclass(slots=True)
class _Reporter:
    """Posts in order, each workflow's state once."""

    config: Config
    waiting: asyncio.Queue[_Post] = field(default_factory=asyncio.Queue)
    told: dict[int, State] = field(default_factory=dict)

    def tell(self, repository: Repository, pipeline: Pipeline) -> None:
        """Line up a status for each workflow whose state is another than the last one told."""
        for workflow in pipeline.workflows:
            if self.told.get(workflow.id) is not workflow.state:
                self.told[workflow.id] = workflow.state
                path = f"/api/v1/repos/{repository.full_name}/statuses/{pipeline.commit}"
                self.waiting.put_nowait(_Post(path, commit_status(self.config.host, repository, pipeline, workflow)))

    async def post(self) -> None:
        """Post what waits, in its order, until cancelled; what the forge refuses is logged and dropped."""
        token = self.config.status_token.reveal() if self.config.status_token else ""
        headers = {"Authorization": f"token {token}"}
        async with aiohttp.ClientSession(timeout=_TIMEOUT, headers=headers, trust_env=False) as session:
            while True:
                one = await self.waiting.get()
                try:
                    async with session.post(self.config.status_api + one.path, json=one.body) as answer:
                        answer.raise_for_status()
                except (aiohttp.ClientError, TimeoutError) as error:
                    print(f"error setting commit status: {error}", file=sys.stderr)  # noqa: T201 -- the server's log


@asynccontextmanager
async def reporting(config: Config) -> AsyncIterator[Tell]:
    """Yield what to call at every change of a pipeline; posting goes on beside, until the block ends."""
    if not config.status_api:
        yield lambda _repository, _pipeline: None
        return
    reporter = _Reporter(config)
    posting = asyncio.create_task(reporter.post())
    try:
        yield reporter.tell
    finally:
        posting.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await posting
