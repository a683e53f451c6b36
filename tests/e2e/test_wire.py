"""The client on wires that misbehave: nothing hangs, everything is told, other threads can end it."""

from __future__ import annotations

import gzip
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

import pytest
import trustme

from homelab.errors import HomelabError, Unreachable, WrongService
from homelab.events import Event
from homelab.http.client import Client
from homelab.http.port import Site
from homelab.secret import Secret
from tests.e2e.wires import STREAM_HEAD, Wire, answer, chunk, wire

PATIENCE = 5.0


@contextmanager
def client(running: Wire, **more: object) -> Iterator[Client]:
    site = Site("http://ci.homelab.test", dial=running.dial, name="Woodpecker")
    made = Client(site, token=Secret("tok-8c1f2e"), **more)  # type: ignore[arg-type]
    try:
        yield made
    finally:
        made.close()


def hold(connection: socket.socket) -> None:
    """Read until the other side goes."""
    while connection.recv(1024):
        pass


def drip(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nX-Long: ")
    while True:
        connection.sendall(b"x")
        time.sleep(0.05)


def drip_body(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n\r\n")
    while True:
        connection.sendall(b" ")
        time.sleep(0.05)


@pytest.mark.parametrize("serve", [hold, drip, drip_body], ids=["silent", "dripping head", "dripping body"])
def test_no_server_holds_a_request_past_its_budget(serve: object) -> None:
    with wire(serve) as running, client(running) as http:  # type: ignore[arg-type]
        began = time.monotonic()
        with pytest.raises(Unreachable, match="is silent"):
            http.get("/api/user", budget=0.6)
        assert time.monotonic() - began < PATIENCE


@pytest.mark.parametrize(
    "sent",
    [b"", b"HTTP/1.1 200 OK\r\nContent-Le", b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n{", b"SSH-2.0-x\r\n"],
    ids=["nothing", "half a head", "half a body", "another protocol"],
)
def test_a_cut_answer_is_retried_then_told(sent: bytes) -> None:
    events: list[Event] = []
    with wire(lambda c: c.sendall(sent)) as running, client(running, emit=events.append) as http:
        with pytest.raises(Unreachable, match="cut the connection"):
            http.get("/api/user", budget=1.0)
        assert running.connections > 1
        assert [event.kind for event in events].count("http.retry.scheduled") == running.connections - 1


def test_a_reset_between_two_requests_is_not_seen() -> None:
    with wire(lambda c: c.sendall(answer(b"1"))) as running, client(running) as http:
        assert [http.get("/api/user", budget=3.0) for _ in range(3)] == [1, 1, 1]


def test_a_body_that_never_ends_is_bounded() -> None:
    def flood(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n")
        while True:
            connection.sendall(b" " * 65536)

    with (
        wire(flood) as running,
        client(running, limit=1_000_000) as http,
        pytest.raises(WrongService, match="more than 1,000,000 bytes"),
    ):
        http.get("/api/user")


def test_a_body_that_unpacks_without_end_is_bounded() -> None:
    bomb = gzip.compress(b" " * 50_000_000)
    with (
        wire(lambda c: c.sendall(answer(bomb, more="Content-Encoding: gzip\r\n"))) as running,
        client(running, limit=1_000_000) as http,
        pytest.raises(WrongService, match="more than 1,000,000 bytes"),
    ):
        http.get("/api/user")


def test_garbage_that_says_it_is_compressed_is_told() -> None:
    with (
        wire(lambda c: c.sendall(answer(b"no gzip", more="Content-Encoding: gzip\r\n"))) as running,
        client(running) as http,
        pytest.raises(Unreachable, match="answered garbage"),
    ):
        http.get("/api/user", budget=0.5)


def stream_forever(connection: socket.socket) -> None:
    connection.sendall(STREAM_HEAD + chunk(b": ping\n\n") + chunk(b"data: first\n\n"))
    hold(connection)


def test_an_event_is_read_the_moment_its_last_byte_arrives() -> None:
    stamps: list[float] = []

    def serve(connection: socket.socket) -> None:
        connection.sendall(STREAM_HEAD)
        for data in (b"data: a\n\n", b"data: b\r\r", b"data: c\r\n\r\n"):
            time.sleep(0.05)
            stamps.append(time.monotonic())
            connection.sendall(chunk(data))
        connection.sendall(b"0\r\n\r\n")

    with wire(serve) as running, client(running) as http, http.stream("/api/stream/events", idle=5.0) as events:
        seen = [(event.data, time.monotonic()) for event in events]
    assert [data for data, _ in seen] == ["a", "b", "c"]
    assert median(at - sent for (_, at), sent in zip(seen, stamps, strict=True)) < 0.1


def test_a_stream_without_a_byte_is_dead_after_its_idle_time() -> None:
    with wire(stream_forever) as running, client(running) as http, http.stream("/x", idle=0.3) as events:
        assert next(events).data == "first"
        with pytest.raises(Unreachable, match="is silent"):
            next(events)


def test_comments_keep_a_stream_alive() -> None:
    def serve(connection: socket.socket) -> None:
        connection.sendall(STREAM_HEAD)
        for _ in range(8):
            time.sleep(0.1)
            connection.sendall(chunk(b": ping\n\n"))
        connection.sendall(chunk(b"data: late\n\n") + b"0\r\n\r\n")

    with wire(serve) as running, client(running) as http, http.stream("/x", idle=0.5) as events:
        assert [event.data for event in events] == ["late"]


def test_a_stream_that_was_cut_is_told_from_one_that_ended() -> None:
    with (
        wire(lambda c: c.sendall(STREAM_HEAD + chunk(b"data: a\n\n"))) as running,
        client(running) as http,
        http.stream("/x", idle=5.0) as events,
    ):
        assert next(events).data == "a"
        with pytest.raises(Unreachable, match="cut the connection"):
            next(events)


def test_a_stream_whose_head_drips_is_given_up() -> None:
    with (
        wire(drip) as running,
        client(running) as http,
        pytest.raises(HomelabError),
        http.stream("/x", idle=0.3),
    ):
        pass


class Reader(threading.Thread):
    """Reads a stream in a thread of its own and remembers how that ended."""

    def __init__(self, http: Client) -> None:
        super().__init__(daemon=True)
        self.http, self.reading, self.ended = http, threading.Event(), ""
        self.start()

    def run(self) -> None:
        try:
            with self.http.stream("/x", idle=60.0) as events:
                for _ in events:
                    self.reading.set()
            self.ended = "quietly"
        except HomelabError as error:
            self.ended = error.what


@pytest.fixture(params=["plain", "TLS"])
def streaming(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Client]:
    """A client of a server that streams one event and then nothing, in the clear and over TLS."""
    ca, context = trustme.CA(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ca.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    ca.issue_cert("ci.homelab.test").configure_cert(context)
    over_tls = request.param == "TLS"
    with wire(stream_forever, context=context if over_tls else None) as running:
        site = Site(f"http{'s' * over_tls}://ci.homelab.test", dial=running.dial, ca_file=tmp_path / "ca.pem")
        http = Client(site, token=Secret("tok-8c1f2e"))
        yield http
        http.close()


def test_closing_the_client_ends_a_reader_in_another_thread_at_once(streaming: Client) -> None:
    reader = Reader(streaming)
    assert reader.reading.wait(PATIENCE)
    time.sleep(0.1)  # until it is blocked in its read
    began = time.monotonic()
    streaming.close()
    reader.join(PATIENCE)
    assert time.monotonic() - began < 2.0
    assert reader.ended == "quietly"


def test_leaving_the_stream_ends_a_reader_in_another_thread_at_once(streaming: Client) -> None:
    stream = streaming.stream("/x", idle=60.0)
    events, got = stream.__enter__(), []
    first = threading.Event()

    def read() -> None:
        for event in events:
            got.append(event.data)
            first.set()

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    assert first.wait(PATIENCE)
    time.sleep(0.1)
    began = time.monotonic()
    stream.__exit__(None, None, None)
    reader.join(PATIENCE)
    assert not reader.is_alive()
    assert time.monotonic() - began < 2.0
    assert got == ["first"]


def test_closing_the_client_ends_a_stream_that_is_still_being_opened() -> None:
    with wire(hold) as running, client(running) as http:
        reader = Reader(http)
        deadline = time.monotonic() + PATIENCE
        while not running.received:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        http.close()
        reader.join(PATIENCE)
        assert not reader.is_alive()


def test_closing_the_client_ends_a_request_and_its_retries_in_another_thread() -> None:
    errors: list[HomelabError] = []

    def ask(http: Client) -> None:
        try:
            http.get("/api/user", budget=60.0)
        except HomelabError as error:
            errors.append(error)

    for serve in (hold, lambda c: c.sendall(answer(b"", status="500 Oops", more="Retry-After: 50\r\n"))):
        with wire(serve) as running, client(running) as http:
            thread = threading.Thread(target=ask, args=(http,), daemon=True)
            thread.start()
            deadline = time.monotonic() + PATIENCE
            while not running.received:
                assert time.monotonic() < deadline
                time.sleep(0.01)
            time.sleep(0.1)
            http.close()
            thread.join(PATIENCE)
            assert not thread.is_alive()
    assert ["was abandoned" in error.what for error in errors] == [True, True]


def test_a_body_of_any_size_is_poured_in_the_memory_of_a_piece() -> None:
    size, largest = 200_000_000, 0

    def serve(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n\r\n" % size)
        for _ in range(size // 1_000_000):
            connection.sendall(bytes(1_000_000))

    with wire(serve) as running, client(running) as http, http.pour("/log", idle=5.0) as body:
        for piece in body.pieces:
            size, largest = size - len(piece), max(largest, len(piece))
    assert size == 0
    assert largest < 1_000_000


def test_a_stream_and_requests_share_no_connection() -> None:
    def serve(connection: socket.socket) -> None:
        if running.connections == 1:
            stream_forever(connection)
        connection.sendall(answer(b"{}"))

    with wire(serve) as running, client(running) as http, http.stream("/x", idle=5.0) as events:
        assert next(events).data == "first"
        assert http.get("/api/user", budget=3.0) == {}
