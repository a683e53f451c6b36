from __future__ import annotations

import pytest

from homelab.errors import HomelabError, HttpStatus, WrongService
from homelab.http.ask import Ask
from homelab.http.judge import judge, retry_after
from homelab.http.port import Answer, Site
from homelab.http.retry import Passing
from homelab.secret import Secret

SITE = Site("https://ci.example.org", name="Woodpecker", fingerprint="X-WOODPECKER-VERSION")
ASK = Ask(SITE, "GET", "/api/user", "ci.example.org", "ci.example.org:443", Secret("tok-1234"))
OURS = {"x-woodpecker-version": "3.17.0"}
JSON, HTML, TEXT = ({"content-type": kind} for kind in ("application/json", "text/html; charset=utf-8", "text/plain"))
LOGIN = b"<html><title>Sign in - Authelia</title><form><input type='password'></form></html>"
PAGE = b"<!doctype html><title>Welcome to nginx!</title><p>hello"


def verdict(
    answer: Answer, *, ask: Ask = ASK, wants_json: bool = True, before: bool = False
) -> HomelabError | Passing | None:
    try:
        judge(ask, answer, wants_json=wants_json, answered_before=before, now=1000.0)
    except (HomelabError, Passing) as error:
        return error
    return None


def final(answer: Answer, **more: bool) -> HomelabError:
    error = verdict(answer, **more)  # type: ignore[arg-type]
    assert isinstance(error, HomelabError)
    return error


def passing(answer: Answer, **more: bool) -> Passing:
    error = verdict(answer, **more)  # type: ignore[arg-type]
    assert isinstance(error, Passing)
    return error


@pytest.mark.parametrize("body", [b"{}", b"[]", b"null", b" 1"])
def test_json_is_an_answer(body: bytes) -> None:
    assert verdict(Answer(200, {**OURS, **JSON}, body)) is None


def test_an_empty_200_may_pass() -> None:
    assert passing(Answer(200, {**OURS, **JSON}, b"")).reason == "200 with an empty body"


def test_a_200_that_is_not_json_may_pass() -> None:
    assert passing(Answer(200, {**OURS, **TEXT}, b"ok")).reason == "200 with a body that is not JSON (text/plain)"


def test_an_empty_answer_is_fine_where_no_json_is_wanted() -> None:
    assert verdict(Answer(204, OURS, b""), wants_json=False) is None


def test_a_login_page_is_called_one() -> None:
    error = passing(Answer(200, HTML, LOGIN))
    assert error.few
    assert error.error.what == "a login page answers instead of Woodpecker at https://ci.example.org"
    assert "“Sign in - Authelia”" in error.error.why


def test_a_page_of_a_wrong_host_is_not_called_a_login() -> None:
    error = passing(Answer(200, HTML, PAGE)).error
    assert isinstance(error, WrongService)
    assert error.what == "something else than Woodpecker answers at https://ci.example.org"
    assert error.why == (
        "GET /api/user gave 200 and a page titled “Welcome to nginx!”, without Woodpecker's X-WOODPECKER-VERSION header"
    )


def test_the_servers_own_page_means_an_unknown_path() -> None:
    error = passing(Answer(200, {**OURS, **HTML}, b"<!doctype html><title>Woodpecker</title>")).error
    assert error.what == "Woodpecker does not know GET /api/user: it answered a web page"


@pytest.mark.parametrize("status", [502, 503, 504])
def test_a_proxys_error_page_is_the_proxys(status: int) -> None:
    error = passing(Answer(status, HTML, b"<html><h1>Bad Gateway"))
    assert error.reason == f"{status} from a proxy"
    assert error.error.what.startswith(f"the proxy in front of Woodpecker answered {status}")
    assert isinstance(error.error, HttpStatus)


def test_the_servers_own_500_is_the_servers() -> None:
    error = passing(Answer(500, OURS, b"")).error
    assert error.what == "Woodpecker answered 500 Internal Server Error to GET /api/user"


@pytest.mark.parametrize("status", [401, 403, 404])
def test_a_refusal_without_the_mark_comes_from_something_else(status: int) -> None:
    error = final(Answer(status, TEXT, b"404 page not found"))
    assert isinstance(error, WrongService)
    assert f"gave {status}" in error.why


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 422])
def test_a_refusal_with_the_mark_is_the_callers_to_understand(status: int) -> None:
    error = final(Answer(status, {**OURS, **TEXT}, b"User not authorized"))
    assert isinstance(error, HttpStatus)
    assert (error.status, error.body) == (status, "User not authorized")


@pytest.mark.parametrize("status", [401, 404])
def test_a_401_or_404_after_a_good_answer_may_be_trouble(status: int) -> None:
    assert passing(Answer(status, OURS, b""), before=True).few


@pytest.mark.parametrize("status", [400, 403, 409, 422])
def test_other_refusals_are_final_at_any_time(status: int) -> None:
    assert isinstance(final(Answer(status, OURS, b""), before=True), HttpStatus)


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
def test_trouble_may_pass_until_the_budget_ends(status: int) -> None:
    assert not passing(Answer(status, {**OURS, "retry-after": "7"}, b"")).few
    assert passing(Answer(status, {**OURS, "retry-after": "7"}, b"")).after == 7.0


@pytest.mark.parametrize("status", [500, 504])
def test_a_failed_write_is_said_to_be_uncertain(status: int) -> None:
    write = Ask(SITE, "POST", "/api/x", "ci.example.org", "ci.example.org:443")
    error = verdict(Answer(status, OURS, b""), ask=write)
    assert isinstance(error, Passing)
    assert error.error.why.endswith("the request was sent and may have taken effect")


def test_without_a_fingerprint_a_page_is_what_tells_a_stranger() -> None:
    ask = Ask(
        Site("https://vault.example.org", name="Vault"), "GET", "/v1/x", "vault.example.org", "vault.example.org:443"
    )
    assert isinstance(verdict(Answer(403, JSON, b'{"errors":[]}'), ask=ask), HttpStatus)
    assert isinstance(verdict(Answer(403, HTML, PAGE), ask=ask), WrongService)


def test_a_body_that_repeats_the_token_is_masked() -> None:
    error = final(Answer(400, {**OURS, **TEXT}, b"bad token tok-1234"))
    assert error.record()["why"] == "bad token ***"


def test_a_body_is_shown_as_one_short_printable_line() -> None:
    error = final(Answer(400, {**OURS, **TEXT}, b"a\n\x1b[31mb " + b"x" * 1000))
    assert isinstance(error, HttpStatus)
    assert error.body.startswith("a [31mb xxx")
    assert len(error.body) == 256


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        ("", None),
        ("3", 3.0),
        ("Thu, 01 Jan 1970 00:16:50 GMT", 10.0),
        ("Thu, 01 Jan 1970 00:00:00 GMT", 0.0),
        ("soon", None),
        ("-1", None),
        ("9" * 5000, 999999999.0),
        ("²", None),
    ],
)
def test_retry_after_is_seconds_or_a_date(said: str, seconds: float | None) -> None:
    assert retry_after(Answer(503, {"retry-after": said}, b""), 1000.0) == seconds
