from __future__ import annotations

from collections.abc import Iterator

import pytest
from pytest_httpx import HTTPXMock, IteratorStream

from homelab.errors import (
    HomelabError,
    HttpStatus,
    TierViolation,
    TokenRejected,
    Unreachable,
    UsageError,
    WrongService,
)
from homelab.events import Event
from homelab.http.client import Client, kind_of
from homelab.http.lean import httpx
from homelab.http.port import ServerEvent, Site
from homelab.secret import Secret
from tests.fakes import FakeClock

TOKEN = "tok-8c1f2e"
SITE = Site("https://ci.example.org/base", dial="10.0.0.1:8443", name="Woodpecker", fingerprint="X-WOODPECKER-VERSION")
OURS = {"X-WOODPECKER-VERSION": "3.17.0"}
DIALED = "https://10.0.0.1:8443/base"


@pytest.fixture
def client(clock: FakeClock, events: list[Event]) -> Iterator[Client]:
    client = Client(SITE, token=Secret(TOKEN), clock=clock, emit=events.append)
    yield client
    client.close()


def test_a_get_answers_decoded_json(client: Client, httpx_mock: HTTPXMock) -> None:
    httpx_mock.add_response(url=f"{DIALED}/api/user?page=2&q=a%26b", json={"login": "me"}, headers=OURS)
    assert client.get("/api/user", params={"page": 2, "q": "a&b"}) == {"login": "me"}


def test_the_token_travels_as_bearer_under_the_public_name(client: Client, httpx_mock: HTTPXMock) -> None:
    httpx_mock.add_response(json={}, headers=OURS)
    client.get("/api/user")
    sent = httpx_mock.get_requests()[0]
    assert sent.headers["Authorization"] == f"Bearer {TOKEN}"
    assert sent.headers["Host"] == "ci.example.org"
    assert sent.extensions["sni_hostname"] == "ci.example.org"


def test_a_site_may_name_another_header_and_further_ones(clock: FakeClock, httpx_mock: HTTPXMock) -> None:
    httpx_mock.add_response(json={})
    site = Site("https://vault.example.org", token_header="X-Vault-Token", headers=(("X-Vault-Namespace", "team"),))
    Client(site, token=Secret(TOKEN), clock=clock).get("/v1/x")
    sent = httpx_mock.get_requests()[0].headers
    assert (sent["X-Vault-Token"], sent["X-Vault-Namespace"]) == (TOKEN, "team")
    assert "Authorization" not in sent


def test_without_a_token_none_is_sent(clock: FakeClock, httpx_mock: HTTPXMock) -> None:
    httpx_mock.add_response(json={}, headers=OURS)
    Client(SITE, clock=clock).get("/api/version")
    assert "Authorization" not in httpx_mock.get_requests()[0].headers


def test_trouble_is_retried_and_seen(client: Client, httpx_mock: HTTPXMock, events: list[Event]) -> None:
    httpx_mock.add_response(status_code=500, headers=OURS)
    httpx_mock.add_exception(httpx.ReadError("reset"))
    httpx_mock.add_exception(httpx.ReadTimeout("slow"))
    httpx_mock.add_response(content=b"", headers=OURS)
    httpx_mock.add_response(text="<html>starting", status_code=502)
    httpx_mock.add_response(json=[], headers=OURS)
    assert client.get("/api/user") == []
    assert [event.record()["reason"] for event in events if event.detail] == [
        "answered 500",
        "connection cut",
        "no answer in time",
        "200 with an empty body",
        "502 from a proxy",
    ]
    lines = [event.sentence() for event in events if not event.detail]
    assert lines[0] == "connection cut; trying on"
    assert len(lines) == 2
    assert lines[1].startswith("answers again, after ")


def test_the_servers_clock_is_known_after_an_answer(client: Client, httpx_mock: HTTPXMock, clock: FakeClock) -> None:
    httpx_mock.add_response(json={}, headers={**OURS, "Date": "Tue, 14 Nov 2023 23:13:20 GMT"})
    before = client.ahead
    client.get("/api/user")
    assert (before, client.ahead) == (None, 3600.0 - clock.elapsed)


def test_a_status_that_will_not_pass_is_raised_at_once(
    client: Client, httpx_mock: HTTPXMock, events: list[Event]
) -> None:
    httpx_mock.add_response(status_code=404, headers=OURS)
    with pytest.raises(HttpStatus) as caught:
        client.get("/api/repos/7")
    assert caught.value.status == 404
    assert events == []


@pytest.mark.parametrize("status", [401, 404])
def test_a_path_that_answered_before_gets_a_second_chance(
    client: Client, httpx_mock: HTTPXMock, events: list[Event], status: int
) -> None:
    httpx_mock.add_response(json={}, headers=OURS)
    httpx_mock.add_response(status_code=status, headers=OURS)
    httpx_mock.add_response(json={"number": 8}, headers=OURS)
    client.get("/api/repos/7/pipelines/7")
    assert client.get("/api/repos/7/pipelines/8") == {"number": 8}
    assert len(events) == 1


def test_a_path_that_answered_before_is_given_up(client: Client, httpx_mock: HTTPXMock, clock: FakeClock) -> None:
    httpx_mock.add_response(json={}, headers=OURS)
    httpx_mock.add_response(status_code=404, headers=OURS, is_reusable=True)
    client.get("/api/repos/7/pipelines/7")
    with pytest.raises(HttpStatus) as caught:
        client.get("/api/repos/7/pipelines/7")
    assert caught.value.status == 404
    assert clock.elapsed <= 3.5


def test_fetch_gives_the_answer_undecoded_with_lower_case_headers(client: Client, httpx_mock: HTTPXMock) -> None:
    httpx_mock.add_response(status_code=204, headers={**OURS, "Pipeline-Filtered": "true"})
    answer = client.fetch("/healthz")
    assert (answer.status, answer.body, answer.headers["pipeline-filtered"]) == (204, b"", "true")


def test_a_redirect_within_the_origin_is_followed(client: Client, httpx_mock: HTTPXMock) -> None:
    httpx_mock.add_response(status_code=301, headers={"Location": "https://ci.example.org/base/api/user"})
    httpx_mock.add_response(url=f"{DIALED}/api/user", json={"login": "me"}, headers=OURS)
    assert client.get("/api/user/") == {"login": "me"}


@pytest.mark.parametrize(
    ("location", "shown"),
    [
        ("https://auth.example.org/login?rd=https://ci.example.org&state=abc", "https://auth.example.org/login"),
        ("//auth.example.org/x", "https://auth.example.org/x"),
        ("http://ci.example.org/base/api/user", "http://ci.example.org/base/api/user"),
        ("https://ci.example.org:8443/", "https://ci.example.org:8443/"),
        ("https://user:pw@auth.example.org/", "https://auth.example.org/"),
    ],
)
def test_a_redirect_to_another_origin_is_not_followed_and_named(
    client: Client, httpx_mock: HTTPXMock, location: str, shown: str
) -> None:
    httpx_mock.add_response(status_code=302, headers={"Location": location})
    with pytest.raises(WrongService) as caught:
        client.get("/api/user")
    assert caught.value.what.endswith(f" redirects to {shown}")
    assert len(httpx_mock.get_requests()) == 1


def test_a_redirect_cannot_replace_the_token(client: Client, httpx_mock: HTTPXMock) -> None:
    httpx_mock.add_response(status_code=302, headers={"Location": "https://me:pw@ci.example.org/base/x"})
    httpx_mock.add_response(url=f"{DIALED}/x", json={}, headers=OURS)
    client.get("/api/user")
    assert httpx_mock.get_requests()[-1].headers["Authorization"] == f"Bearer {TOKEN}"


def test_redirects_in_circles_end(client: Client, httpx_mock: HTTPXMock) -> None:
    httpx_mock.add_response(status_code=302, headers={"Location": "/base/x"}, is_reusable=True)
    with pytest.raises(WrongService, match="redirects in circles"):
        client.get("/api/user")


def test_a_write_is_sent_once_with_its_body(client: Client, httpx_mock: HTTPXMock) -> None:
    httpx_mock.add_response(method="POST", match_json={"branch": "main"}, json={"number": 8}, headers=OURS)
    assert client.send("post", "/api/x", json={"branch": "main"}).json() == {"number": 8}


def test_a_write_that_fails_is_not_sent_again(client: Client, httpx_mock: HTTPXMock) -> None:
    httpx_mock.add_exception(httpx.ReadError("reset"))
    with pytest.raises(Unreachable) as caught:
        client.send("POST", "/api/x")
    assert caught.value.why.endswith("the request was sent and may have taken effect")


def test_a_write_that_is_safe_to_repeat_is_repeated(client: Client, httpx_mock: HTTPXMock) -> None:
    httpx_mock.add_response(status_code=500, headers=OURS)
    httpx_mock.add_response(status_code=204, headers=OURS)
    assert client.send("POST", "/api/x", safe_to_repeat=True).status == 204


def test_a_write_is_never_redirected(client: Client, httpx_mock: HTTPXMock) -> None:
    httpx_mock.add_response(status_code=307, headers={"Location": "https://ci.example.org/base/api/y"})
    with pytest.raises(WrongService, match="answered POST /api/x with a redirect"):
        client.send("POST", "/api/x")


def test_a_reading_client_writes_nothing(clock: FakeClock) -> None:
    with pytest.raises(TierViolation, match="tried to DELETE /api/x"):
        Client(SITE, clock=clock, read_only=True).send("delete", "/api/x")


def test_a_body_over_the_limit_is_not_kept(clock: FakeClock, httpx_mock: HTTPXMock) -> None:
    httpx_mock.add_response(content=b"x" * 2000, headers=OURS)
    with pytest.raises(WrongService, match="with more than 1,000 bytes"):
        Client(SITE, clock=clock, limit=1000).fetch("/api/x")


@pytest.mark.parametrize("value", ["", "two words", "line\nbreak", "tab\t", "caf\xe9", "zero\0"])
def test_a_token_that_cannot_be_one_is_refused_without_being_shown(value: str) -> None:
    with pytest.raises(TokenRejected) as caught:
        Client(SITE, token=Secret(value))
    assert not value or value not in str(caught.value.record())


def test_a_token_for_a_bare_http_url_is_refused() -> None:
    with pytest.raises(UsageError, match="unencrypted"):
        Client(Site("http://ci.example.org"), token=Secret(TOKEN))


def test_a_last_event_id_may_be_any_text(client: Client, httpx_mock: HTTPXMock) -> None:
    httpx_mock.add_response(headers={"Content-Type": "text/event-stream"}, stream=IteratorStream([]))
    with client.stream("/x", idle=75, headers={"Last-Event-ID": "é"}) as events:
        assert list(events) == []
    assert (b"Last-Event-ID", b"\xc3\xa9") in httpx_mock.get_requests()[0].headers.raw


def test_a_stream_gives_its_events(client: Client, httpx_mock: HTTPXMock) -> None:
    httpx_mock.add_response(
        headers={**OURS, "Content-Type": "text/event-stream; charset=utf-8"},
        stream=IteratorStream([b": ping\n\n", b'data: {"a"', b": 1}\n\nevent: eof\n", b"data: eof\n\n"]),
    )
    with client.stream("/api/stream/events", idle=75, headers={"Last-Event-ID": "3"}) as events:
        assert list(events) == [ServerEvent("message", '{"a": 1}'), ServerEvent("eof", "eof")]
    sent = httpx_mock.get_requests()[0]
    assert (sent.headers["Accept"], sent.headers["Accept-Encoding"]) == ("text/event-stream", "identity")
    assert sent.headers["Last-Event-ID"] == "3"
    assert sent.extensions["timeout"]["read"] == 75


@pytest.mark.parametrize(
    ("response", "error", "said"),
    [
        ({"status_code": 404, "headers": OURS}, HttpStatus, "answered 404"),
        ({"status_code": 503, "html": "<html>down"}, HttpStatus, "the proxy in front of Woodpecker answered 503"),
        ({"html": "<title>Log in</title><input type=password>"}, WrongService, "a login page answers instead"),
        ({"json": {}, "headers": OURS}, WrongService, "without an event stream"),
        ({"status_code": 302, "headers": {"Location": "https://auth.example.org/"}}, WrongService, "redirects to"),
    ],
    ids=["404", "proxy", "portal", "JSON", "redirect"],
)
def test_an_answer_that_is_no_stream_is_judged_like_any_other(
    client: Client, httpx_mock: HTTPXMock, response: dict[str, object], error: type[HomelabError], said: str
) -> None:
    httpx_mock.add_response(**response)  # type: ignore[arg-type]
    with pytest.raises(error, match=said), client.stream("/api/stream/events", idle=75):
        pass


def test_a_large_body_is_handed_on_piece_by_piece_whatever_the_limit(clock: FakeClock, httpx_mock: HTTPXMock) -> None:
    httpx_mock.add_response(
        url=f"{DIALED}/api/logs?from=3", headers={**OURS, "X-Kind": "log"}, stream=IteratorStream([b"one", b"two"])
    )
    client = Client(SITE, clock=clock, limit=1)
    with client.pour("/api/logs", idle=30, params={"from": 3}) as body:
        assert (body.status, body.headers["x-kind"]) == (200, "log")
        assert list(body.pieces) == [b"one", b"two"]


@pytest.mark.parametrize(
    ("response", "said"),
    [
        ({"status_code": 404, "headers": OURS}, "answered 404"),
        ({"html": "<title>Log in</title><input type=password>"}, "a login page answers instead"),
        ({"html": "<title>Woodpecker</title>", "headers": OURS}, "does not know GET /api/logs"),
        ({"status_code": 302, "headers": {"Location": "https://auth.example.org/"}}, "redirects to"),
    ],
    ids=["404", "portal", "unknown path", "redirect"],
)
def test_a_large_body_that_does_not_come_is_judged_like_any_other_answer(
    client: Client, httpx_mock: HTTPXMock, response: dict[str, object], said: str
) -> None:
    httpx_mock.add_response(**response)  # type: ignore[arg-type]
    with pytest.raises(HomelabError, match=said), client.pour("/api/logs", idle=30):
        pass


def test_opening_a_large_body_is_tried_again_where_the_trouble_passes(client: Client, httpx_mock: HTTPXMock) -> None:
    httpx_mock.add_response(status_code=502, html="<title>502 Bad Gateway</title>")
    httpx_mock.add_response(headers=OURS, stream=IteratorStream([b"one"]))
    with client.pour("/api/logs", idle=30) as body:
        assert list(body.pieces) == [b"one"]


def test_an_answer_brings_its_headers(client: Client, httpx_mock: HTTPXMock) -> None:
    httpx_mock.add_response(json=[1], headers={**OURS, "X-Total-Count": "7"})
    answer = client.answer("/api/list", params={"page": 1})
    assert (answer.json(), answer.headers["x-total-count"]) == ([1], "7")


def test_a_closed_client_asks_nothing_more(client: Client) -> None:
    client.close()
    with pytest.raises(Unreachable, match="was abandoned"):
        client.get("/api/user")


def test_a_client_shows_its_site_and_no_token(client: Client) -> None:
    assert repr(client) == "Client('https://ci.example.org/base')"


def test_paths_that_differ_in_numbers_are_of_a_kind() -> None:
    assert kind_of("/api/repos/7/logs/12/345?x=1") == "/api/repos/#/logs/#/#"
