from __future__ import annotations

from typing import Any

import pytest

from homelab.ci.model import State
from homelab.ci.woodpecker.client import Woodpecker
from homelab.errors import NothingThere, TokenRejected, WrongService
from tests.ci.fakes import OID, OTHER, FakeWoodpecker, log, pipeline, raw_pipeline, step, workflow


def test_a_bad_token_is_refused_though_a_public_repository_would_answer_it(
    ci: Woodpecker, server: FakeWoodpecker
) -> None:
    server.user = None

    with pytest.raises(TokenRejected, match="home does not accept the token") as caught:
        ci.runs_of(OID)

    assert server.asked == ["/api/user"]
    assert "homelab doctor" in caught.value.fix


def test_an_unknown_repository_is_nothing_there_and_says_where_to_activate_it(
    ci: Woodpecker, server: FakeWoodpecker
) -> None:
    server.repo = None

    with pytest.raises(NothingThere, match="home has no repository team/app") as caught:
        ci.facts()

    assert "https://ci.example.org/repos/add" in caught.value.fix
    assert "ann has no access" in caught.value.why


def test_only_runs_whose_own_sha_is_the_commit_are_returned_newest_first(
    ci: Woodpecker, server: FakeWoodpecker
) -> None:
    server.add(raw_pipeline(1), raw_pipeline(2, commit=OTHER), raw_pipeline(3))

    assert [run.number for run in ci.runs_of(OID)] == [3, 1]


def test_older_pages_are_read_until_the_commit_cannot_be_older(ci: Woodpecker, server: FakeWoodpecker) -> None:
    server.add(*(raw_pipeline(n, commit=OTHER) | {"created": 10_000 * n} for n in range(2, 202)), raw_pipeline(1))

    assert [run.number for run in ci.runs_of(OID)] == [1]
    server.asked.clear()
    assert ci.runs_of(OID, since=1_990_000) == []
    assert len(server.asked) == 1


def test_a_repository_activated_again_is_found_under_its_new_id(ci: Woodpecker, server: FakeWoodpecker) -> None:
    server.add(raw_pipeline(1))
    ci.runs_of(OID)
    assert server.repo is not None
    server.repo["id"] = 8

    assert [run.number for run in ci.runs_of(OID)] == [1]


def test_a_run_that_was_filtered_after_it_was_created_is_none(ci: Woodpecker) -> None:
    assert ci.run(9) is None


def test_the_page_of_a_run_is_named_by_repository_id_and_number(ci: Woodpecker, server: FakeWoodpecker) -> None:
    server.add(raw_pipeline(12))
    run = ci.run(12)

    assert run is not None
    assert run.url == "https://ci.example.org/repos/7/pipeline/12"


def test_a_missing_log_is_empty_and_a_present_one_is_ordered(ci: Woodpecker, server: FakeWoodpecker) -> None:
    server.logs[5] = log("b", "a")[::-1]
    where = pipeline(12), workflow("build", State.SUCCESS)

    assert list(ci.log(*where, step("test", State.SUCCESS, id=4))) == []
    assert [line.text for line in ci.log(*where, step("test", State.SUCCESS, id=5))] == ["b", "a"]


def test_facts_say_whether_this_token_may_approve(ci: Woodpecker, server: FakeWoodpecker) -> None:
    server.permissions = {"pull": True, "push": False}

    assert not ci.facts().may_write
    assert ci.facts().approval == "forks"
    assert ci.facts().timeout == 3600


@pytest.mark.parametrize("answer", [{"message": "who are you"}, ["x"], "words", 7])
def test_json_of_another_shape_is_another_service_not_an_answer(
    ci: Woodpecker, server: FakeWoodpecker, answer: Any
) -> None:
    ci.facts()
    server._answer = lambda _path, _params: answer  # type: ignore[method-assign]

    for ask in (lambda: ci.runs_of(OID), lambda: ci.latest("main"), lambda: ci.run(12)):
        with pytest.raises(WrongService, match="something else than Woodpecker"):
            ask()


def test_a_gateway_that_answers_json_to_everything_is_not_the_server(ci: Woodpecker, server: FakeWoodpecker) -> None:
    server._answer = lambda _path, _params: {"message": "who are you"}  # type: ignore[method-assign]

    with pytest.raises(WrongService):
        ci.facts()
