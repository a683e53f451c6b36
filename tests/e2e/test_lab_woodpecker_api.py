"""The lab's CI server asked: rights, refusals, lists, filters, writes."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from homelab.lab.woodpecker.config import Repository
from homelab.secret import Secret
from tests.lab.woodpecker.lab import GREEN, SLOW, World, make_config, states, steps, world


@pytest.fixture
def ci(tmp_path: Path) -> Iterator[World]:
    with world(tmp_path) as made:
        yield made


@pytest.fixture
def public(tmp_path: Path) -> Iterator[World]:
    with world(tmp_path, visibility="public") as made:
        yield made


def inject(ci: World, **row: Any) -> Any:
    given = {"full_name": "lab/shop", "commit": "c" * 40, **row}
    reply = ci.call("/_lab/pipelines", method="POST", token=None, body=given)
    assert reply.status == 200, reply.body
    return reply.json


def test_every_answer_names_the_server(ci: World) -> None:
    for path in ("/api/user", "/api/repos/9", "/version", "/healthz", "/nowhere"):
        assert ci.call(path).headers["x-woodpecker-version"] == "3.17.0"
    assert ci.call("/api/user", token=None).headers["x-woodpecker-version"] == "3.17.0"
    with ci.stream("/api/stream/events"):
        pass


def test_version_and_health_need_no_token(ci: World) -> None:
    assert ci.get("/version", token=None)["version"] == "3.17.0"
    assert ci.call("/healthz", token=None).status == 204


def test_only_user_proves_a_token(public: World) -> None:
    assert public.get("/api/user")["login"] == "dev"
    assert "admin" not in public.get("/api/user")
    assert public.get("/api/user", token="admin")["admin"] is True
    refused = public.call("/api/user", token="bad")
    assert (refused.status, refused.body) == (401, b"User not authorized")
    assert public.call("/api/repos/1", token="bad").status == 200


def test_a_bad_token_reads_public_repositories_and_writes_nothing(public: World) -> None:
    assert public.get("/api/repos/1/pipelines", token="bad") == []
    for path in ("/pipelines", "/pipelines/1", "/pipelines/1/cancel"):
        refused = public.call("/api/repos/1" + path, method="POST", token="bad", body={"branch": "main"})
        assert (refused.status, refused.body) == (401, b"")


@pytest.mark.parametrize(
    ("headers", "query", "status"),
    [
        ({"X-Gitlab-Token": "dev-token"}, "", 200),
        ({}, "?access_token=dev-token", 200),
        ({"Cookie": "user_sess=dev-token"}, "", 200),
        ({"Authorization": "Basic ZGV2"}, "?access_token=dev-token", 401),
        ({"Authorization": "bearer dev-token"}, "", 401),
    ],
    ids=str,
)
def test_a_token_may_come_four_ways_and_another_scheme_ends_the_search(
    ci: World, headers: dict[str, str], query: str, status: int
) -> None:
    assert ci.call("/api/user" + query, token=None, **headers).status == status


@pytest.mark.parametrize(
    ("token", "path", "status"),
    [
        (None, "/api/repos/1", 401),
        (None, "/api/repos/99", 401),
        ("stranger", "/api/repos/1", 404),
        ("stranger", "/api/repos/99", 404),
        ("reader", "/api/repos/1", 200),
        (None, "/api/repos/lookup/lab/shop", 401),
        ("stranger", "/api/repos/lookup/lab/shop", 404),
        ("dev", "/api/repos/lookup/no/such", 404),
        ("dev", "/api/repos/lookup/lab/shop/", 404),
        ("dev", "/api/repos/lookup/LAB/Shop", 200),
        ("dev", "/api/repos/lookup/lab%2Fshop", 200),
        ("dev", "/api/repos/lookup/lab/Old", 200),
        ("dev", "/api/repos/lookup/lab/old", 404),
        ("dev", "/api/repos/x", 400),
        ("dev", "/api/repos/1/pipelines/7", 404),
        ("dev", "/api/repos/1/pipelines/x", 400),
        ("dev", "/api/repos/1/pipelines/99999999999999999999", 400),
        ("dev", "/api/repos/1/logs/7/1", 404),
        ("dev", "/api/repos/1/pipelines/latest", 404),
        ("stranger", "/api/repos/1/pipelines", 404),
    ],
)
def test_what_is_missing_and_what_is_hidden_look_the_same(ci: World, token: str | None, path: str, status: int) -> None:
    answer = ci.call(path, token=token)
    assert answer.status == status
    assert status == 200 or answer.body == b""


def test_permissions_answer_even_those_who_may_not_read(ci: World) -> None:
    rights = {who: ci.get("/api/repos/1/permissions", token=who) for who in ("dev", "reader", "stranger", "admin")}
    shown = {who: (one["pull"], one["push"], one["admin"]) for who, one in rights.items()}
    assert shown == {
        "dev": (True, True, True),
        "reader": (True, False, False),
        "stranger": (False, False, False),
        "admin": (True, True, True),
    }


def test_a_missing_push_right_is_a_404_without_a_body(ci: World) -> None:
    ci.push({".woodpecker.yaml": GREEN})
    ci.wait(1)
    for path in ("", "/1", "/1/cancel", "/1/approve", "/1/decline"):
        refused = ci.call(f"/api/repos/1/pipelines{path}", method="POST", token="reader", body={"branch": "main"})
        assert (refused.status, refused.body) == (404, b"")


def test_deleting_needs_an_admin_of_the_repository(ci: World) -> None:
    made = inject(ci)
    assert ci.call(f"/api/repos/1/pipelines/{made['number']}", method="DELETE", token="reader").status == 403
    assert ci.call(f"/api/repos/1/pipelines/{made['number']}", method="DELETE").status == 204
    assert ci.get("/api/repos/1/pipelines") == []


def test_an_unknown_path_a_wrong_method_and_head_get_the_page(ci: World) -> None:
    for path, method in (("/nowhere", "GET"), ("/api/nowhere", "GET"), ("/api/user", "PUT"), ("/api/user", "HEAD")):
        answer = ci.call(path, method=method)
        assert (answer.status, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")


def test_a_slash_too_many_redirects(ci: World) -> None:
    got = ci.call("/api/user/")
    assert (got.status, got.headers["location"]) == (301, "/api/user")
    assert ci.call("/api/repos/1/pipelines/", method="POST").status == 307


def test_a_path_in_the_public_url_prefixes_everything(tmp_path: Path) -> None:
    with world(tmp_path, host="https://home.test/ci") as ci:
        assert ci.server.url.endswith("/ci")
        assert ci.get("/api/user")["login"] == "dev"
        ci.push({".woodpecker.yaml": GREEN})
        assert ci.wait(1)["status"] == "success"


def test_pages_hold_fifty_whatever_is_asked_and_go_on(ci: World) -> None:
    for _ in range(53):
        inject(ci)
    numbers = {q: [one["number"] for one in ci.get(f"/api/repos/1/pipelines?{q}")] for q in (
        "", "perPage=100", "perPage=0", "perPage=x", "page=0", "perPage=2", "perPage=2&page=2", "page=2", "page=9",
    )}  # fmt: skip
    newest = list(range(53, 3, -1))
    for query in ("", "perPage=100", "perPage=0", "perPage=x", "page=0"):
        assert newest == numbers[query]
    assert numbers["perPage=2"] == [53, 52]
    assert numbers["perPage=2&page=2"] == [51, 50]
    assert numbers["page=2"] == [3, 2, 1]
    assert numbers["page=9"] == []


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("branch=main", [5, 3, 1]),
        ("branch=mai", []),
        ("event=tag", [2]),
        ("event=push,tag", [4, 2, 1]),
        ("status=failure", [4]),
        ("status=canceled", []),
        ("ref=tags", [2]),
        ("ref=refs_tags", [2]),
        ("ref=%25v1", [2]),
        ("branch=main&event=cron", [3]),
        ("after=2023-11-14T22:13:22Z", [5, 4]),
        ("before=2023-11-14T22:13:22Z", [2, 1]),
        ("before=2023-11-14T23:13:22%2B01:00", [2, 1]),
    ],
)
def test_filters_narrow_the_list(ci: World, query: str, expected: list[int]) -> None:
    rows = [
        {"branch": "main", "ref": "refs/heads/main", "event": "push"},
        {"branch": "", "ref": "refs/tags/v1", "event": "tag"},
        {"branch": "main", "ref": "main", "event": "cron"},
        {"branch": "next", "ref": "refs/heads/next", "event": "push", "status": "failure"},
        {"branch": "main", "ref": "main", "event": "manual"},
    ]
    for second, row in enumerate(rows):
        inject(ci, created=1_700_000_000 + second, **row)
    assert expected == [one["number"] for one in ci.get(f"/api/repos/1/pipelines?{query}")]


@pytest.mark.parametrize(
    "query",
    [
        "event=pushed",
        "event=push,",
        "status=green",
        "before=yesterday",
        "after=2023-11-14",
        "before=2023-11-14T22:13:22",
    ],
)
def test_a_filter_the_server_does_not_know_is_a_400_without_a_body(ci: World, query: str) -> None:
    answer = ci.call(f"/api/repos/1/pipelines?{query}")
    assert (answer.status, answer.body) == (400, b"")


def test_lists_leave_the_workflows_out(ci: World) -> None:
    inject(ci, workflows=[{"name": "a", "state": "success"}])
    assert "workflows" not in ci.get("/api/repos/1/pipelines")[0]
    assert ci.pipeline(1)["workflows"][0]["name"] == "a"
    assert "repo_id" not in ci.pipeline(1)


def test_latest_is_the_newest_push_of_a_branch(ci: World) -> None:
    for row in ({"event": "push"}, {"event": "cron"}, {"event": "push", "branch": "next"}):
        inject(ci, **{"branch": "main", **row})
    assert ci.get("/api/repos/1/pipelines/latest")["number"] == 1
    assert ci.get("/api/repos/1/pipelines/latest?branch=next")["number"] == 3


def test_a_trigger_runs_the_head_of_a_branch_now(ci: World) -> None:
    oid = ci.push({".woodpecker.yaml": GREEN})
    ci.wait(1)
    body = {"branch": "main", "variables": {"WHO": "me"}}
    made = ci.call("/api/repos/1/pipelines", method="POST", body=body).json
    assert (made["event"], made["commit"], made["branch"], made["ref"]) == ("manual", oid, "main", "main")
    assert made["message"] == "MANUAL PIPELINE @ main"
    assert ci.wait(made["number"])["variables"] == {"WHO": "me"}


def test_a_trigger_that_nothing_wants_is_a_204_that_says_filtered(ci: World) -> None:
    ci.push({".woodpecker.yaml": "when: {event: push}\n" + GREEN})
    ci.wait(1)
    answer = ci.call("/api/repos/1/pipelines", method="POST", body={"branch": "main"})
    assert (answer.status, answer.headers["pipeline-filtered"]) == (204, "true")
    assert len(ci.get("/api/repos/1/pipelines")) == 1


def test_a_trigger_whose_configuration_cannot_be_read_is_a_204_that_does_not_and_leaves_an_error(ci: World) -> None:
    ci.push({".woodpecker.yaml": GREEN})
    ci.wait(1)
    ci.faults(config_fails=True)
    answer = ci.call("/api/repos/1/pipelines", method="POST", body={"branch": "main"})
    assert answer.status == 204
    assert "pipeline-filtered" not in answer.headers
    assert ci.pipeline(2)["status"] == "error"


@pytest.mark.parametrize(
    ("body", "status"), [(b"", 400), (b"[]", 400), (b"{", 400), ({"branch": "gone"}, 500), ({}, 500)], ids=str
)
def test_a_trigger_that_cannot_be_is_refused_without_a_word(ci: World, body: Any, status: int) -> None:
    ci.push({".woodpecker.yaml": GREEN})
    answer = ci.call("/api/repos/1/pipelines", method="POST", body=body)
    assert (answer.status, answer.body) == (status, b"")


def test_a_broken_file_answers_the_trigger_with_200_and_status_error(ci: World) -> None:
    ci.push({".woodpecker.yaml": "steps: []"})
    answer = ci.call("/api/repos/1/pipelines", method="POST", body={"branch": "main"})
    assert (answer.status, answer.json["status"]) == (200, "error")


def test_a_restart_is_a_new_number_with_the_old_files_and_commit(ci: World) -> None:
    oid = ci.push({".woodpecker.yaml": "steps:\n  - {name: a, image: x, commands: ['echo $WHO']}\n"})
    ci.wait(1)
    made = ci.call("/api/repos/1/pipelines/1?WHO=me&access_token=x", method="POST").json
    assert (made["number"], made["parent"], made["rerun_count"], made["commit"]) == (2, 1, 1, oid)
    assert ci.wait(2)["status"] == "success"
    assert ci.log(2, "a")[-1] == "me"
    assert ci.call("/api/repos/1/pipelines/2", method="POST").json["rerun_count"] == 2


def test_a_restart_keeps_the_old_runs_cancel_info(ci: World) -> None:
    inject(ci, status="killed", cancel_info={"canceled_by_user": "dev"})
    made = ci.call("/api/repos/1/pipelines/1", method="POST").json
    assert (made["status"], made["cancel_info"]) == ("error", {"canceled_by_user": "dev"})
    assert made["errors"][0]["message"] == "pipeline definition not found"


def test_a_restart_as_deployment_needs_the_repository_to_allow_it(ci: World) -> None:
    inject(ci)
    assert ci.call("/api/repos/1/pipelines/1?event=deployment", method="POST").status == 403
    assert ci.call("/api/repos/1/pipelines/1?event=push", method="POST").status == 400


def test_a_deployment_names_its_target(tmp_path: Path) -> None:
    with world(tmp_path, allow_deploy=True) as ci:
        ci.push({".woodpecker.yaml": GREEN})
        ci.wait(1)
        made = ci.call("/api/repos/1/pipelines/1?event=deployment&deploy_to=live", method="POST").json
        assert (made["event"], made["deploy_to"]) == ("deployment", "live")


def test_cancel_flips_the_pipeline_at_once_and_the_steps_later(ci: World) -> None:
    ci.push({".woodpecker.yaml": "steps:\n  - {name: a, image: x, commands: ['trap \"\" TERM', sleep 30]}\n"})
    ci.until(lambda: "+ sleep 30" in ci.log(1, "a"))
    assert ci.call("/api/repos/1/pipelines/1/cancel", method="POST").status == 204
    made = ci.pipeline(1)
    assert (made["status"], made["cancel_info"]) == ("killed", {"canceled_by_user": "dev"})
    assert made["finished"] > 0
    assert (made["workflows"][0]["state"], states(made)["a"]) == ("running", "running")
    made = ci.wait_quiet(1)
    assert (made["status"], made["workflows"][0]["state"], states(made)["a"]) == ("killed", "killed", "killed")


def test_cancelling_what_has_not_begun_makes_it_canceled(tmp_path: Path) -> None:
    with world(tmp_path) as ci:
        assert ci.call("/api/queue/pause", method="POST", token="admin").status == 204
        ci.push({".woodpecker.yaml": GREEN})
        assert ci.pipeline(1)["status"] == "pending"
        ci.call("/api/repos/1/pipelines/1/cancel", method="POST")
        made = ci.pipeline(1)
        assert (made["status"], made["workflows"][0]["state"]) == ("canceled", "skipped")
        assert set(states(made).values()) == {"canceled"}


def test_cancelling_twice_says_that_it_is_over(ci: World) -> None:
    inject(ci)
    answer = ci.call("/api/repos/1/pipelines/1/cancel", method="POST")
    assert answer.status == 400
    assert b"Cannot cancel a non-running" in answer.body


@pytest.fixture
def guarded(tmp_path: Path) -> Iterator[World]:
    with world(tmp_path, require_approval="all_events") as made:
        made.push({".woodpecker.yaml": GREEN})
        yield made


def test_a_blocked_pipeline_waits_for_a_person(guarded: World) -> None:
    made = guarded.pipeline(1)
    assert (made["status"], made["workflows"][0]["state"]) == ("blocked", "blocked")
    assert set(states(made).values()) == {"blocked"}
    assert (
        guarded.call("/api/repos/1/pipelines/1", method="POST").body == b"cannot restart a pipeline with status blocked"
    )


def test_approve_runs_it_under_new_step_ids(guarded: World) -> None:
    before = steps(guarded.pipeline(1))[0]["id"]
    made = guarded.call("/api/repos/1/pipelines/1/approve", method="POST").json
    assert made["reviewed_by"] == "dev"
    assert made["reviewed"] > 0
    assert guarded.wait(1)["status"] == "success"
    assert before not in [step["id"] for step in steps(guarded.pipeline(1))]
    assert guarded.call(f"/api/repos/1/logs/1/{before}").status == 404


def test_approving_what_can_no_longer_run_is_an_error(tmp_path: Path) -> None:
    text = "steps:\n  - {name: a, image: x, commands: [x], environment: {T: {from_secret: t}}}\n"
    with world(tmp_path, require_approval="all_events", secrets={"t": Secret("hush")}) as ci:
        ci.push({".woodpecker.yaml": text})
        without = tuple(replace(one, secrets={}) for one in ci.config.repositories)
        ci.restart(repositories=without)
        assert ci.call("/api/repos/1/pipelines/1/approve", method="POST").status == 500
        made = ci.pipeline(1)
        assert (made["status"], made["errors"][0]["message"]) == ("error", 'secret "t" not found')


def test_decline_ends_it_without_an_end(guarded: World) -> None:
    made = guarded.call("/api/repos/1/pipelines/1/decline", method="POST").json
    assert (made["status"], made["finished"], set(states(made).values())) == ("declined", 0, {"declined"})


def test_approving_what_is_not_blocked_is_400_and_declining_it_500(ci: World) -> None:
    inject(ci)
    approve = ci.call("/api/repos/1/pipelines/1/approve", method="POST")
    assert (approve.status, approve.body) == (400, b"cannot approve a pipeline with status success")
    decline = ci.call("/api/repos/1/pipelines/1/decline", method="POST")
    assert (decline.status, decline.body) == (500, b"")


def test_a_blocked_pipeline_that_is_cancelled_is_killed(guarded: World) -> None:
    guarded.call("/api/repos/1/pipelines/1/cancel", method="POST")
    assert guarded.pipeline(1)["status"] == "killed"


def test_a_forks_pull_request_needs_approval_and_a_members_does_not(ci: World) -> None:
    oid = ci.push({".woodpecker.yaml": GREEN})
    pull = {"event": "pull_request", "ref": "refs/pull/1/head", "after": oid, "branch": "main", "refspec": "x:main"}
    assert ci.hook(**pull, from_fork=True).json["status"] == "blocked"
    assert ci.hook(**pull).json["status"] == "pending"


def test_a_newer_run_of_the_same_pull_request_supersedes(ci: World) -> None:
    oid = ci.push({".woodpecker.yaml": "when: {event: pull_request}\n" + SLOW})
    pull = {"event": "pull_request", "ref": "refs/pull/1/head", "after": oid, "branch": "main", "refspec": "x:main"}
    first, other, second = ci.hook(**pull), ci.hook(**{**pull, "refspec": "y:main"}), ci.hook(**pull)
    assert [one.json["number"] for one in (first, other, second)] == [1, 2, 3]
    assert ci.pipeline(1)["cancel_info"] == {"superseded_by": 3}
    assert "cancel_info" not in ci.pipeline(2)


@pytest.mark.parametrize(
    ("given", "status"),
    [
        ({"path": "/nowhere"}, 400),
        ({"path": ""}, 400),
        ({"after": "d" * 40}, 400),
        ({"after": "0" * 40}, 200),
        ({"ref": "refs/notes/commits"}, 200),
        ({"event": "nonsense"}, 400),
    ],
    ids=str,
)
def test_the_hook_answers_as_upstream_does(ci: World, given: dict[str, str], status: int) -> None:
    oid = ci.push({"a": "b"})
    assert ci.hook(**{"after": oid, **given}).status == status


def test_the_hook_refuses_a_caller_without_its_token(ci: World) -> None:
    assert ci.call("/api/hook", method="POST", token=None, body={}).status == 400


def test_a_pull_request_is_dropped_where_they_are_disabled(tmp_path: Path) -> None:
    with world(tmp_path, allow_pr=False) as ci:
        oid = ci.push({".woodpecker.yaml": GREEN})
        answer = ci.hook(event="pull_request", ref="refs/pull/1/head", after=oid)
        assert (answer.status, "pipeline-filtered" in answer.headers) == (204, False)


def test_the_files_a_run_was_made_from_can_be_read(ci: World) -> None:
    ci.push({".woodpecker.yaml": GREEN})
    (file,) = ci.get("/api/repos/1/pipelines/1/config")
    assert (file["name"], base64.b64decode(file["data"]).decode()) == (".woodpecker.yaml", GREEN)


def test_branches_are_listed_by_page(ci: World) -> None:
    for branch in ("main", "next", "old"):
        ci.push({"a": branch}, branch=branch)
    assert ci.get("/api/repos/1/branches") == ["main", "next", "old"]
    assert ci.get("/api/repos/1/branches?perPage=1&page=2") == ["next"]


def test_log_lines_are_base64_numbered_and_timed_from_the_steps_start(ci: World) -> None:
    ci.push({".woodpecker.yaml": GREEN})
    ci.wait(1)
    step = ci.step(1, "build")
    lines = ci.get(f"/api/repos/1/logs/1/{step['id']}")
    assert [(one["line"], one["type"], one["step_id"]) for one in lines] == [(0, 0, step["id"]), (1, 0, step["id"])]
    assert base64.b64decode(lines[1]["data"]) == b"built"
    assert lines[0]["time"] < 5


def test_logs_can_be_deleted_once_it_is_over_and_are_null_then(ci: World) -> None:
    ci.push({".woodpecker.yaml": SLOW})
    ci.until(lambda: ci.log(1, "build"))
    step_id = ci.step(1, "build")["id"]
    assert ci.call(f"/api/repos/1/logs/1/{step_id}", method="DELETE").status == 422
    assert ci.call("/api/repos/1/logs/1", method="DELETE").status == 422
    assert ci.call("/api/repos/1/pipelines/1", method="DELETE").status == 422
    ci.call("/api/repos/1/pipelines/1/cancel", method="POST")
    ci.wait_quiet(1)
    assert ci.call("/api/repos/1/logs/1", method="DELETE").status == 204
    assert ci.get(f"/api/repos/1/logs/1/{step_id}") is None


def test_a_guest_is_told_in_words_that_deleting_needs_an_admin(public: World) -> None:
    inject(public)
    refused = public.call("/api/repos/1/pipelines/1", method="DELETE", token=None)
    assert (refused.status, refused.body) == (401, b"User not authorized")


def test_a_cron_run_and_a_tag_speak_for_themselves_where_they_are_asked_for(ci: World) -> None:
    oid = ci.push({".woodpecker.yaml": GREEN}, message="Fix it")
    told = [ci.hook(event="cron", cron="nightly", after=oid, branch="main"), ci.hook(ref="refs/tags/v1", after=oid)]
    assert [one.json["message"] for one in told] == ["Fix it", "Fix it"]
    tag, cron, push = ci.get("/api/repos/1/pipelines")
    assert (tag["event"], tag["message"]) == ("tag", "created tag v1")
    assert (cron["event"], cron["message"], cron["sender"], cron["cron"]) == ("cron", "nightly", "nightly", "nightly")
    assert {one["commit"] for one in (tag, cron, push)} == {oid}
    assert ci.wait(2)["status"] == ci.wait(3)["status"] == "success"


def test_the_queue_tells_its_admin_why_something_is_pending(tmp_path: Path) -> None:
    with world(tmp_path, capacity=1) as ci:
        ci.push(
            {
                ".woodpecker/a.yaml": SLOW,
                ".woodpecker/b.yaml": SLOW,
                ".woodpecker/c.yaml": "depends_on: [a]\n" + SLOW,
            }
        )
        ci.wait(1, "running")
        info = ci.get("/api/queue/info", token="admin")
        assert [task["name"] for task in info["running"]] == ["a"]
        assert [task["name"] for task in info["pending"]] == ["b"]
        assert [task["name"] for task in info["waiting_on_deps"]] == ["c"]
        assert info["waiting_on_deps"][0]["dependencies"] == [info["running"][0]["id"]]
        assert info["stats"] == {"worker_count": 1, "pending_count": 1, "waiting_on_deps_count": 1, "running_count": 1}
        assert [row["number"] for row in ci.get("/api/pipelines", token="admin")] == [1]
        assert (ci.call("/api/queue/info").status, ci.call("/api/queue/info", token=None).status) == (403, 401)


def two_repositories(tmp_path: Path) -> Any:
    shop = make_config(tmp_path).repositories[0]
    other = Repository(2, "lab/other", tmp_path / "other.git", permissions={"dev": "push"})
    seen = replace(other, id=3, full_name="lab/seen", permissions={"dev": "pull"})
    return (shop, other, seen, replace(other, id=4, full_name="lab/idle", active=False))


def test_my_repositories_are_the_active_ones_i_may_push_to(tmp_path: Path) -> None:
    with world(tmp_path, repositories=two_repositories(tmp_path)) as ci:
        inject(ci)
        shop, other = ci.get("/api/user/repos")
        assert (shop["full_name"], shop["last_pipeline"]["number"]) == ("lab/shop", 1)
        assert (other["full_name"], "last_pipeline" in other) == ("lab/other", False)
        assert [one["full_name"] for one in ci.get("/api/user/repos?name=other")] == ["lab/other"]
        assert [one["full_name"] for one in ci.get("/api/user/repos?all=true")] == ["lab/shop", "lab/other", "lab/idle"]
        assert ci.get("/api/user/repos", token="stranger") == []
        assert ci.get("/api/user/repos?all=true", token="stranger") is None


def test_the_feed_leaves_zeros_out_and_is_null_when_empty(tmp_path: Path) -> None:
    with world(tmp_path, repositories=two_repositories(tmp_path)) as ci:
        assert ci.get("/api/user/feed") is None
        inject(ci, branch="main")
        (row,) = ci.get("/api/user/feed")
        assert (row["repo_id"], row["number"], row["branch"], "started" in row) == (1, 1, "main", False)
        assert ci.get("/api/user/feed?latest=true")[1] == {"repo_id": 2, "full_name": "lab/other"}


def test_an_injected_row_has_what_was_asked_and_logs_too(ci: World) -> None:
    flows = [
        {"name": "w", "state": "failure", "steps": [{"name": "s", "state": "failure", "exit_code": 2, "log": ["a"]}]}
    ]
    made = inject(ci, event="cron", status="failure", cron="nightly", workflows=flows)
    assert (made["event"], made["cron"], made["status"]) == ("cron", "nightly", "failure")
    assert ci.log(1, "s") == ["a"]
    changed = ci.call("/_lab/pipelines/lab/shop/1", method="PATCH", token=None, body={"status": "success"})
    assert changed.json["status"] == ci.pipeline(1)["status"] == "success"
    assert ci.call("/_lab/pipelines/lab/shop/1", method="DELETE", token=None).status == 204
    assert ci.call("/api/repos/1/pipelines/1").status == 404
    assert ci.call("/_lab/pipelines", method="POST", token=None, body={"full_name": "x/y", "commit": ""}).status == 400


def test_the_shape_of_a_repository_and_of_a_pipeline_is_upstreams(ci: World) -> None:
    inject(ci)
    assert " ".join(sorted(ci.get("/api/repos/1"))) == (
        "active allow_deploy allow_pr approval_allowed_users avatar_url cancel_previous_pipeline_events clone_url"
        " clone_url_ssh config_file default_branch forge_id forge_remote_id forge_url full_name id name netrc_trusted"
        " org_id owner pr_enabled private require_approval timeout trusted visibility"
    )
    assert " ".join(sorted(ci.pipeline(1))) == (
        "author author_avatar author_email branch commit created deploy_task deploy_to errors event event_reason"
        " finished forge_url id message number parent ref refspec rerun_count reviewed reviewed_by sender started"
        " status timestamp title updated version"
    )
    assert json.dumps(ci.pipeline(1)["errors"]) == "null"


def test_a_cron_is_kept_changed_run_now_and_removed(ci: World) -> None:
    oid = ci.push({".woodpecker.yaml": f"when:\n  - event: [push, cron]\n{GREEN}"})
    ci.wait(1)
    made = ci.call("/api/repos/1/cron", method="POST", body={"name": "nightly", "schedule": "@daily"}).json
    assert (made["id"], made["name"], made["schedule"], made["branch"]) == (1, "nightly", "@daily", "")
    assert ci.call("/api/repos/1/cron/1", method="PATCH", body={"branch": "main"}).json["schedule"] == "@daily"
    run = ci.call("/api/repos/1/cron/1", method="POST").json
    assert (run["event"], run["commit"], run["branch"], run["message"]) == ("cron", oid, "main", "nightly")
    ci.restart()
    assert [one["branch"] for one in ci.get("/api/repos/1/cron")] == ["main"]
    assert ci.call("/api/repos/1/cron/1", method="DELETE").status == 204
    assert ci.call("/api/repos/1/cron/1").status == 404


def test_a_cron_that_nothing_wants_is_filtered_and_one_without_schedule_refused(ci: World) -> None:
    ci.push({".woodpecker.yaml": f"when:\n  - event: push\n{GREEN}"})
    ci.call("/api/repos/1/cron", method="POST", body={"name": "nightly", "schedule": "@daily"})
    filtered = ci.call("/api/repos/1/cron/1", method="POST")
    assert (filtered.status, filtered.headers["pipeline-filtered"]) == (204, "true")
    assert ci.call("/api/repos/1/cron", method="POST", body={"name": "nightly"}).status == 422
    assert ci.call("/api/repos/1/cron", token="reader").status == 404


def test_settings_changed_by_the_interface_outlive_the_server(ci: World) -> None:
    path = "/api/repos/1"
    assert (
        ci.call(path, method="PATCH", body={"require_approval": "all_events"}).json["require_approval"] == "all_events"
    )
    assert ci.call(path, method="PATCH", body={"require_approval": "sometimes"}).status == 400
    assert ci.call(path, method="PATCH", body={}, token="reader").status == 403
    ci.restart()
    ci.push({".woodpecker.yaml": GREEN})
    assert ci.wait(1, "blocked")["status"] == "blocked"


def test_a_repository_switched_off_runs_nothing_until_it_is_switched_on(ci: World) -> None:
    assert ci.call("/api/repos/1", method="DELETE").json["active"] is False
    ci.push({".woodpecker.yaml": GREEN})
    assert ci.get("/api/repos/1/pipelines") == []
    assert ci.call("/api/repos?forge_remote_id=1", method="POST").json["active"] is True
    assert ci.call("/api/repos?forge_remote_id=1", method="POST").status == 409
    ci.push({"again": "1"})
    assert ci.wait(1)["status"] == "success"
