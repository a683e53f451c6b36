from __future__ import annotations

from pathlib import Path
from typing import Any

from homelab.doctor.ci import CiCheck
from homelab.doctor.model import Finding
from homelab.errors import CertificateRefused, WrongService
from tests.doctor.fakes import CannedApp, app, status

DAY = 86400.0
NOW = 1_700_000_000.0
VERSION = {"x-woodpecker-version": "3.13.0", "date": "Tue, 14 Nov 2023 22:13:20 GMT"}
REPO = {"id": 7, "full_name": "team/app", "owner": "team", "name": "app", "active": True}
WELL: dict[str, Any] = {
    "/version": VERSION,
    "token /api/user": {"login": "alice"},
    "token /api/repos/lookup/team/app": REPO,
    "token /api/repos/7": REPO,
    "token /api/repos/7/permissions": {"pull": True, "push": True, "admin": False},
}


def _app(folder: Path, **changed: Any) -> CannedApp:
    answers = {
        **WELL,
        **{key.replace("_", " ", 1) if key.startswith("token") else key: v for key, v in changed.items()},
    }
    return app(folder, answers, HOMELAB_CI_URL="https://ci.example.org", WOODPECKER_TOKEN="hunter2")


def _look(made: CannedApp, slug: str | None = "team/app") -> list[Finding]:
    findings = list(CiCheck(made, made.settings.ci["environment"], slug).look())
    assert "hunter2" not in str(findings)
    return findings


def _graded(findings: list[Finding]) -> list[tuple[str, str]]:
    return [(each.name.removeprefix("ci.environment").lstrip(".") or "address", each.grade.value) for each in findings]


def test_a_server_that_is_well_shows_its_way_its_certificate_its_user_and_the_right_to_push(tmp_path: Path) -> None:
    made = _app(tmp_path)
    made.life = (NOW - 60 * DAY, NOW + 29 * DAY)
    assert [each.says for each in _look(made)] == [
        "https://ci.example.org, certificate 29 days, version 3.13.0",
        "environment WOODPECKER_TOKEN is alice",
        "team/app, the token may push",
    ]


def test_a_certificate_that_should_have_been_renewed_is_a_warning(tmp_path: Path) -> None:
    made = _app(tmp_path)
    made.life = (NOW - 80 * DAY, NOW + 10 * DAY)
    assert ("certificate", "warn") in _graded(_look(made))
    made.life = (NOW - 0.4 * DAY, NOW + 0.1 * DAY)
    assert ("certificate", "warn") not in _graded(_look(made))


def test_a_refused_certificate_leaves_the_token_unsent_and_says_where_it_is(tmp_path: Path) -> None:
    refused = CertificateRefused("the certificate has expired", why="w", fix="f")
    findings = _look(_app(tmp_path, **{"/version": refused}))
    assert _graded(findings) == [("address", "fail"), ("token", "skip")]
    assert findings[0].outcome == 5
    assert findings[1].says == "found in environment WOODPECKER_TOKEN; not tried, the server does not answer"


def test_a_proxy_that_passes_the_api_alone_is_well(tmp_path: Path) -> None:
    page = WrongService("a web page", why="w", fix="f")
    findings = _look(_app(tmp_path, **{"/version": page, "/api/user": status(401)}))
    assert _graded(findings) == [("address", "ok"), ("token", "ok"), ("repository", "ok")]


def test_an_answer_that_only_says_it_is_ill_is_not_well(tmp_path: Path) -> None:
    findings = _look(_app(tmp_path, **{"/version": status(500), "/api/user": status(500)}))
    assert _graded(findings) == [("address", "fail"), ("token", "skip")]


def test_a_page_everywhere_is_the_wrong_service(tmp_path: Path) -> None:
    page = WrongService("a login page", why="w", fix="f")
    findings = _look(_app(tmp_path, **{"/version": page, "/api/user": page}))
    assert (findings[0].says, findings[0].outcome) == ("a login page", 5)


def test_a_token_that_reads_as_a_guest_is_refused_and_the_repository_is_not_asked(tmp_path: Path) -> None:
    findings = _look(_app(tmp_path, **{"token /api/user": status(401)}))
    assert _graded(findings) == [("address", "ok"), ("token", "fail"), ("repository", "skip")]
    assert findings[1].outcome == 4


def test_no_token_names_the_places(tmp_path: Path) -> None:
    made = app(tmp_path, WELL, HOMELAB_CI_URL="https://ci.example.org")
    findings = _look(made)
    assert (findings[1].grade.value, findings[1].outcome) == ("fail", 4)
    assert any("HOMELAB_CI_TOKEN" in detail for detail in findings[1].details)


def test_an_unknown_an_inactive_and_a_read_only_repository_are_told_apart(tmp_path: Path) -> None:
    unknown = _look(_app(tmp_path, **{"token /api/repos/lookup/team/app": status(404)}))[2]
    assert (unknown.grade.value, unknown.outcome) == ("fail", 7)
    inactive = _look(_app(tmp_path, **{"token /api/repos/7": {**REPO, "active": False}}))[2]
    assert (inactive.grade.value, inactive.outcome) == ("fail", 7)
    assert "switched off" in inactive.says
    reading = _look(_app(tmp_path, **{"token /api/repos/7/permissions": {"pull": True, "push": False}}))[2]
    assert (reading.grade.value, reading.says) == ("warn", "team/app, and the token may only read")


def test_a_wrong_clock_is_a_warning(tmp_path: Path) -> None:
    late = {**VERSION, "date": "Tue, 14 Nov 2023 23:13:20 GMT"}
    assert ("clock", "warn") in _graded(_look(_app(tmp_path, **{"/version": late})))


def test_outside_a_repository_the_server_is_checked_still(tmp_path: Path) -> None:
    assert _graded(_look(_app(tmp_path), None)) == [("address", "ok"), ("token", "ok"), ("repository", "skip")]
