"""The Kubernetes adapter over real sockets: what a server may answer, and what it may never answer."""

from __future__ import annotations

import json
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import trustme

from homelab.clock import SystemClock
from homelab.errors import (
    CertificateRefused,
    HttpStatus,
    PermissionMissing,
    TierViolation,
    TokenRejected,
    Unreachable,
    WrongService,
)
from homelab.events import Event
from homelab.kube.cluster import ApiCluster, connect
from homelab.kube.events import RequestTroubled
from homelab.settings.model import KubernetesAccess
from tests.fakes import FakeClock

Answer = Callable[[BaseHTTPRequestHandler], None]
PODS = "/api/v1/namespaces/shop/pods"


def answering(
    code: int, body: Any = None, headers: dict[str, str] | None = None, *, raw: bytes | None = None
) -> Answer:
    def answer(request: BaseHTTPRequestHandler) -> None:
        sent = raw if raw is not None else json.dumps(body or {}).encode()
        request.send_response(code)
        for name, value in (headers or {}).items():
            request.send_header(name, value)
        request.send_header("Content-Length", str(len(sent)))
        request.end_headers()
        request.wfile.write(sent)

    return answer


class Api:
    """Answers requests in order, the last answer for ever; remembers what it was asked."""

    def __init__(self, *answers: Answer) -> None:
        self.answers = list(answers)
        self.asked: list[tuple[str, str | None]] = []
        self.port = 0
        self.done = threading.Event()

    def take(self, request: BaseHTTPRequestHandler) -> None:
        self.asked.append((request.path, request.headers.get("Authorization")))
        (self.answers.pop(0) if len(self.answers) > 1 else self.answers[0])(request)


@contextmanager
def serving(api: Api, *, tls: ssl.SSLContext | None = None) -> Iterator[Api]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            api.take(self)

        do_PATCH = do_GET  # noqa: N815 -- the library's word

        def log_message(self, *_args: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_args: object) -> None:
            """A client that hangs up is part of these tests."""

    with Server(("127.0.0.1", 0), Handler) as server:
        if tls is not None:
            server.socket = tls.wrap_socket(server.socket, server_side=True)
        api.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield api
        finally:
            api.done.set()
            server.shutdown()
            thread.join(timeout=5)


@contextmanager
def cluster(
    api: Api,
    folder: Path,
    clock: Any,
    events: list[Event],
    *,
    scheme: str = "http",
    ca: bytes | None = None,
    unchecked: bool = False,
) -> Iterator[ApiCluster]:
    server: dict[str, Any] = {"server": f"{scheme}://127.0.0.1:{api.port}"}
    if unchecked:
        server["insecure-skip-tls-verify"] = True
    if ca is not None:
        (folder / "ca.pem").write_bytes(ca)
        server["certificate-authority"] = str(folder / "ca.pem")
    (folder / "token").write_text("one")
    body = {
        "current-context": "here",
        "clusters": [{"name": "c", "cluster": server}],
        "users": [{"name": "u", "user": {"tokenFile": str(folder / "token")}}],
        "contexts": [{"name": "here", "context": {"cluster": "c", "user": "u"}}],
    }
    (folder / "config").write_text(json.dumps(body))
    made = connect(KubernetesAccess(kubeconfig=folder / "config"), env={}, clock=clock, emit=events.append)
    try:
        yield made
    finally:
        made.close()


def test_too_many_requests_are_repeated_as_the_server_asks(
    tmp_path: Path, clock: FakeClock, events: list[Event]
) -> None:
    later = answering(429, headers={"Retry-After": "4"})
    with (
        serving(Api(later, later, later, answering(200, {"kind": "Pod"}))) as api,
        cluster(api, tmp_path, clock, events) as found,
    ):
        assert found.get(f"{PODS}/web") == {"kind": "Pod"}
    assert clock.slept == [4.0, 4.0, 4.0]
    assert [type(event) for event in events].count(RequestTroubled) == 1


def test_a_server_that_only_fails_ends_within_the_budget(tmp_path: Path, clock: FakeClock, events: list[Event]) -> None:
    with serving(Api(answering(503))) as api, cluster(api, tmp_path, clock, events) as found:
        with pytest.raises(HttpStatus) as raised:
            found.get(f"{PODS}/web")
        assert raised.value.status == 503
    assert clock.elapsed <= 20


def test_a_401_reads_the_credentials_again_once(tmp_path: Path, clock: FakeClock, events: list[Event]) -> None:
    def rotate(request: BaseHTTPRequestHandler) -> None:
        (tmp_path / "token").write_text("two")
        answering(401)(request)

    with serving(Api(rotate, answering(200, {"kind": "Pod"}))) as api, cluster(api, tmp_path, clock, events) as found:
        found.get(f"{PODS}/web")
    assert [token for _, token in api.asked] == ["Bearer one", "Bearer two"]


def test_a_second_401_is_a_rejected_token(tmp_path: Path, clock: FakeClock, events: list[Event]) -> None:
    with (
        serving(Api(answering(401))) as api,
        cluster(api, tmp_path, clock, events) as found,
        pytest.raises(TokenRejected),
    ):
        found.get(f"{PODS}/web")
    assert len(api.asked) == 2


def test_a_watch_and_a_patch_read_rotated_credentials_too(
    tmp_path: Path, clock: FakeClock, events: list[Event]
) -> None:
    asking = {"metadata": {"annotations": {"reconcile.fluxcd.io/requestedAt": "now"}}}
    first = [answering(401), chunked(line("ADDED", "8")), answering(401), answering(200, {"kind": "Kustomization"})]
    with serving(Api(*first)) as api, cluster(api, tmp_path, clock, events) as found:
        assert [event["type"] for event in found.watch(PODS, resource_version="7")] == ["ADDED"]
        assert found.patch("/apis/x", asking) == {"kind": "Kustomization"}


def test_an_answer_that_only_trickles_is_given_up(tmp_path: Path, events: list[Event]) -> None:
    class Hasty(SystemClock):
        def monotonic(self) -> float:
            return super().monotonic() * 100

    def trickle(request: BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.send_header("Content-Length", "1000000")
        request.end_headers()
        with suppress(OSError):
            while not api.done.wait(0.05):
                request.wfile.write(b"{")
                request.wfile.flush()
        request.close_connection = True

    api = Api(trickle)
    with (
        serving(api),
        cluster(api, tmp_path, Hasty(), events) as found,
        pytest.raises(Unreachable, match="no answer"),
    ):
        found.get(f"{PODS}/web")


def test_a_redirect_is_not_followed_and_carries_no_token(tmp_path: Path, clock: FakeClock, events: list[Event]) -> None:
    with serving(Api(answering(200))) as elsewhere:
        away = answering(302, headers={"Location": f"http://127.0.0.1:{elsewhere.port}/login"})
        with (
            serving(Api(away)) as api,
            cluster(api, tmp_path, clock, events) as found,
            pytest.raises(WrongService),
        ):
            found.get(f"{PODS}/web")
        assert elsewhere.asked == []


def test_a_login_page_is_not_an_answer(tmp_path: Path, clock: FakeClock, events: list[Event]) -> None:
    page = answering(200, raw=b"<html>Log in</html>")
    with serving(Api(page)) as api, cluster(api, tmp_path, clock, events) as found, pytest.raises(WrongService):
        found.list(PODS)


def test_a_list_is_read_page_by_page(tmp_path: Path, clock: FakeClock, events: list[Event]) -> None:
    first = answering(200, {"metadata": {"resourceVersion": "7", "continue": "more"}, "items": [{"n": 1}]})
    second = answering(200, {"metadata": {"resourceVersion": "7"}, "items": [{"n": 2}]})
    with serving(Api(first, second)) as api, cluster(api, tmp_path, clock, events) as found:
        assert found.list(PODS, keep=lambda item: item["n"]) == {"items": [1, 2], "resourceVersion": "7"}
    assert "continue=more" in api.asked[1][0]


def test_a_page_that_expired_starts_the_list_over(tmp_path: Path, clock: FakeClock, events: list[Event]) -> None:
    first = answering(200, {"metadata": {"continue": "more"}, "items": [{}]})
    whole = answering(200, {"metadata": {"resourceVersion": "9"}, "items": [{}, {}]})
    with serving(Api(first, answering(410), whole)) as api, cluster(api, tmp_path, clock, events) as found:
        assert len(found.list(PODS)["items"]) == 2
    assert "limit" not in api.asked[2][0]


@pytest.mark.parametrize(("name", "trusted"), [("other.example", True), ("127.0.0.1", False)])
def test_a_wrong_certificate_is_refused_before_anything_is_sent(
    tmp_path: Path, clock: FakeClock, events: list[Event], name: str, *, trusted: bool
) -> None:
    authority, stranger = trustme.CA(), trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    (authority if trusted else stranger).issue_cert(name).configure_cert(context)
    with serving(Api(answering(200)), tls=context) as api:
        ca = authority.cert_pem.bytes()
        with (
            cluster(api, tmp_path, clock, events, scheme="https", ca=ca) as found,
            pytest.raises(CertificateRefused),
        ):
            found.get(f"{PODS}/web")
        assert api.asked == []


def test_a_kubeconfig_that_switches_the_check_off_is_obeyed_and_said(
    tmp_path: Path, clock: FakeClock, events: list[Event]
) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("other.example").configure_cert(context)
    with (
        serving(Api(answering(200, {"kind": "Pod"})), tls=context) as api,
        cluster(api, tmp_path, clock, events, scheme="https", unchecked=True) as found,
    ):
        assert found.get(f"{PODS}/web") == {"kind": "Pod"}
    assert [event.sentence() for event in events] == [
        "its kubeconfig says insecure-skip-tls-verify: the server's certificate is not checked"
    ]


def test_a_reading_cluster_refuses_to_write(tmp_path: Path, clock: FakeClock, events: list[Event]) -> None:
    with (
        serving(Api(answering(200))) as api,
        cluster(api, tmp_path, clock, events) as found,
        pytest.raises(TierViolation),
    ):
        found.patch(f"{PODS}/web", {})
    assert api.asked == []


def chunked(*lines: bytes, then: str = "end") -> Answer:
    """A watch: these lines, then an end, a broken connection, or silence until the test is over."""

    def answer(request: BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.send_header("Transfer-Encoding", "chunked")
        request.end_headers()
        for line in lines:
            request.wfile.write(b"%x\r\n%s\r\n" % (len(line), line))
            request.wfile.flush()
        if then == "end":
            request.wfile.write(b"0\r\n\r\n")
        elif then == "silence":
            time.sleep(2.0)
        request.close_connection = True

    return answer


def line(type_: str, version: str) -> bytes:
    return json.dumps({"type": type_, "object": {"metadata": {"resourceVersion": version}}}).encode() + b"\n"


def test_a_watch_yields_events_across_chunks_and_ends_normally(
    tmp_path: Path, clock: FakeClock, events: list[Event]
) -> None:
    both = line("MODIFIED", "8") + line("BOOKMARK", "9")
    with serving(Api(chunked(both[:20], both[20:]))) as api, cluster(api, tmp_path, clock, events) as found:
        assert [event["type"] for event in found.watch(PODS, resource_version="7")] == ["MODIFIED", "BOOKMARK"]
    assert "resourceVersion=7" in api.asked[0][0]
    assert "allowWatchBookmarks=true" in api.asked[0][0]


def test_a_watch_that_stays_silent_ends_by_its_read_timeout(
    tmp_path: Path, clock: FakeClock, events: list[Event]
) -> None:
    with (
        serving(Api(chunked(line("ADDED", "8"), then="silence"))) as api,
        cluster(api, tmp_path, clock, events) as found,
    ):
        watch = found.watch(PODS, resource_version="7", timeout=-9.5)
        with pytest.raises(Unreachable):
            list(watch)


def test_a_watch_whose_connection_breaks_says_so(tmp_path: Path, clock: FakeClock, events: list[Event]) -> None:
    with (
        serving(Api(chunked(line("ADDED", "8"), then="break"))) as api,
        cluster(api, tmp_path, clock, events) as found,
        pytest.raises(Unreachable),
    ):
        list(found.watch(PODS, resource_version="7"))


@pytest.mark.parametrize("form", ["status", "stream"])
def test_a_forgotten_version_is_410_in_both_forms(
    tmp_path: Path, clock: FakeClock, events: list[Event], form: str
) -> None:
    told = {"type": "ERROR", "object": {"kind": "Status", "code": 410, "reason": "Expired", "message": "too old"}}
    stream = chunked(json.dumps(told).encode() + b"\n")
    with (
        serving(Api(answering(410) if form == "status" else stream)) as api,
        cluster(api, tmp_path, clock, events) as found,
    ):
        with pytest.raises(HttpStatus) as raised:
            list(found.watch(PODS, resource_version="7"))
        assert raised.value.status == 410


def test_a_forbidden_watch_names_the_verb(tmp_path: Path, clock: FakeClock, events: list[Event]) -> None:
    with (
        serving(Api(answering(403))) as api,
        cluster(api, tmp_path, clock, events) as found,
        pytest.raises(PermissionMissing, match="not allowed to watch pods in namespace shop"),
    ):
        found.watch(PODS, resource_version="7")


def test_closing_a_watch_frees_the_thread_that_reads_it(tmp_path: Path, clock: FakeClock, events: list[Event]) -> None:
    with (
        serving(Api(chunked(line("ADDED", "8"), then="silence"))) as api,
        cluster(api, tmp_path, clock, events) as found,
    ):
        watch = found.watch(PODS, resource_version="7")
        got: list[Any] = []
        thread = threading.Thread(target=lambda: got.extend(watch))
        thread.start()
        while not api.asked:
            time.sleep(0.01)
        time.sleep(0.2)
        began = time.monotonic()
        watch.close()
        thread.join(timeout=5)
        assert not thread.is_alive()
        assert time.monotonic() - began < 1.0
    assert [event["type"] for event in got] == ["ADDED"]
