"""Each forge's own JSON becomes the newest status of each context; every page is read."""

from __future__ import annotations

from typing import Any

import pytest

from homelab.errors import HttpStatus, Unreachable
from homelab.forge.gitlab import GitLab
from homelab.forge.model import CommitStatus, Mark
from homelab.forge.port import Forge
from homelab.forge.pulls import Pulls
from homelab.forge.statuses import mark
from homelab.git.remote_url import parse
from homelab.http.port import Params, Site

OID = "a" * 40
REPOSITORY = parse("https://git.example/team/sub/app.git")
WOODPECKER = "https://ci.example.org/repos/7/pipeline/12/1"


class PagedHttp:
    """Answers pages of one path, as many as there are; the pages after them are ``beyond``."""

    ahead: float | None = None

    def __init__(self, path: str, *pages: Any, beyond: Any = None) -> None:
        self.site = Site("https://git.example/api", name="the forge git.example")
        self.path, self.pages, self.beyond = path, pages, beyond
        self.asked: list[int] = []

    def get(self, path: str, *, params: Params | None = None, budget: float | None = None) -> Any:
        if path != self.path:
            raise HttpStatus("404", status=404, why=path, fix="-")
        page = int((params or {})["page"])
        self.asked.append(page)
        return self.pages[page - 1] if page <= len(self.pages) else self.beyond


def row(context: str, status: str, number: int = 1, **more: Any) -> dict[str, Any]:
    return {"id": number, "context": context, "status": status, "description": "", "target_url": "", **more}


def gitea(*pages: Any, beyond: Any = None) -> tuple[PagedHttp, Forge]:
    http = PagedHttp(f"/repos/team/sub/app/commits/{OID}/status", *pages, beyond=beyond)
    return http, Pulls(http, REPOSITORY, "forgejo")  # type: ignore[arg-type]


def test_every_page_is_read_though_the_server_gives_fewer_than_were_asked_for() -> None:
    first = {"statuses": [row(f"ci/{n}", "success", n) for n in range(1, 31)]}
    second = {"statuses": [row("ci/woodpecker/push/build", "failure", 31, target_url=WOODPECKER)]}
    http, forge = gitea(first, second, beyond={"statuses": None})

    found = forge.statuses(OID)

    assert len(found) == 31
    assert found[-1] == CommitStatus("ci/woodpecker/push/build", Mark.FAILURE, WOODPECKER, id=31)
    assert http.asked == [1, 2, 3]


def test_a_server_that_repeats_its_last_page_is_not_read_for_ever() -> None:
    only = {"statuses": [row("ci/a", "success", 1)]}
    http, forge = gitea(only, beyond=only)

    assert [status.context for status in forge.statuses(OID)] == ["ci/a"]
    assert http.asked == [1, 2]


def test_more_pages_than_can_be_read_are_an_error_not_an_answer() -> None:
    pages = [{"statuses": [row(f"ci/{n}", "success", n)]} for n in range(1, 99)]
    _, forge = gitea(*pages)

    with pytest.raises(Unreachable, match="more than 20 pages"):
        forge.statuses(OID)


@pytest.mark.parametrize("empty", [{"state": "", "statuses": None}, {"sha": "", "state": ""}], ids=["gitea", "forgejo"])
def test_no_status_at_all_is_an_empty_answer(empty: Any) -> None:
    assert gitea(empty, beyond=empty)[1].statuses(OID) == ()


def test_of_a_context_the_newest_status_counts() -> None:
    _, forge = gitea({"statuses": [row("ci/a", "pending", 3), row("ci/a", "success", 9), row("ci/a", "failure", 4)]})

    assert [(status.mark, status.id) for status in forge.statuses(OID)] == [(Mark.SUCCESS, 9)]


def test_github_names_the_state_otherwise() -> None:
    http = PagedHttp(
        f"/repos/team/sub/app/commits/{OID}/status",
        {"state": "success", "statuses": [{"id": 5, "context": "ci/x", "state": "success", "target_url": None}]},
    )

    assert Pulls(http, REPOSITORY, "github").statuses(OID) == (CommitStatus("ci/x", Mark.SUCCESS, id=5),)  # type: ignore[arg-type]


def test_gitlab_answers_a_plain_list_with_words_of_its_own() -> None:
    http = PagedHttp(
        f"/projects/team%2Fsub%2Fapp/repository/commits/{OID}/statuses",
        [
            {"id": 5, "name": "ci/woodpecker/push/build", "status": "failed", "target_url": WOODPECKER},
            {"id": 6, "name": "lint", "status": "running", "target_url": "https://git.example/jobs/6"},
        ],
        beyond=[],
    )

    found = GitLab(http, REPOSITORY).statuses(OID)  # type: ignore[arg-type]

    assert [(status.context, status.mark) for status in found] == [
        ("ci/woodpecker/push/build", Mark.FAILURE),
        ("lint", Mark.PENDING),
    ]


def test_a_word_nobody_knows_is_never_green() -> None:
    assert mark("superb") is Mark.UNKNOWN
    assert not Mark.UNKNOWN.green
    assert {one for one in Mark if one.green} == {Mark.SUCCESS, Mark.SKIPPED}
