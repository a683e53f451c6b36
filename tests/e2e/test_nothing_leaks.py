"""Every way to fail, searched for the token: messages, events, exception chains, tracebacks, logs."""

from __future__ import annotations

import logging
import ssl
import traceback
from collections.abc import Callable
from pathlib import Path

import pytest
import trustme

from homelab.errors import HomelabError
from homelab.events import Event
from homelab.http.client import Client
from homelab.http.port import JsonHttp, Site
from homelab.lab.openbao import Running
from homelab.lab.ports import free_port
from homelab.secret import Secret
from homelab.secrets.chain import find_token
from homelab.settings.model import CiServer, VaultServer
from tests.e2e.wires import STREAM_HEAD, answer, chunk, wire

TOKEN = "tok-8c1f2e-do-not-show"
ECHO = TOKEN.encode()
OURS = "X-WOODPECKER-VERSION: 3.17.0\r\n"

ANSWERS = {
    "401 that repeats the token": answer(b"bad token " + ECHO, status="401 Unauthorized", more=OURS),
    "500 that repeats the token": answer(b'{"error": "' + ECHO + b'"}', status="500 Oops", more=OURS),
    "foreign 403": answer(b"<title>" + ECHO + b"</title>", status="403 Forbidden", kind="text/html"),
    "proxy page": answer(b"<title>" + ECHO + b"</title>", status="502 Bad Gateway", kind="text/html"),
    "login page": answer(b"<title>Log in " + ECHO + b"</title><input type=password>", kind="text/html"),
    "not JSON": answer(ECHO, kind=f"text/{TOKEN}", more=OURS),
    "redirect with the token in its query": answer(
        b"", status="302 Found", more=f"Location: https://auth.test/?t={TOKEN}\r\n"
    ),
    "redirect with the token in its path": answer(
        b"", status="302 Found", more=f"Location: https://auth.test/{TOKEN}\r\n"
    ),
    "redirect with the token as user": answer(
        b"", status="302 Found", more=f"Location: https://{TOKEN}@auth.test/\r\n"
    ),
    "redirect to nonsense": answer(b"", status="302 Found", more=f"Location: https://[{TOKEN}\r\n"),
    "broken status line": b"HTTP/1.1 " + ECHO + b"\r\n\r\n",
    "broken header": b"HTTP/1.1 200 OK\r\n" + ECHO + b"\r\n\r\n",
    "broken chunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + ECHO + b"\r\n",
    "cut": b"",
    "broken gzip": answer(ECHO, more="Content-Encoding: gzip\r\n"),
    "cut stream": STREAM_HEAD + chunk(b"data: " + ECHO),
}


def searched(error: BaseException, events: list[Event], log: pytest.LogCaptureFixture, token: str = TOKEN) -> None:
    """Fail where any text that somebody could print or keep holds the token."""
    assert isinstance(error, HomelabError)
    texts = [str(error.record()), repr(error), *traceback.format_exception(error)]
    chain: BaseException | None = error
    while chain is not None:
        texts += [repr(chain), str(chain), repr(chain.args)]
        chain = chain.__cause__ or chain.__context__
    for event in events:
        texts += [repr(event), event.sentence(), str(event.record()), event.subject]
    texts += [record.getMessage() for record in log.records]
    assert [text for text in texts if token in text] == []


def get(http: Client) -> None:
    http.get("/api/user", params={"q": TOKEN}, budget=0.4)


def send(http: Client) -> None:
    http.send("POST", "/api/x", json={"name": TOKEN}, params={"q": TOKEN})
    http.get("/api/x", budget=0.1)  # what a write lets pass, a read does not


def stream(http: Client) -> None:
    with http.stream(f"/api/stream/events?q={TOKEN}", idle=0.3) as events:
        list(events)


def pour(http: Client) -> None:
    with http.pour("/api/logs", idle=0.3, params={"q": TOKEN}) as body:
        list(body.pieces)
    http.get("/api/x", budget=0.1)  # what is a body here is none there


ASKED = pytest.mark.parametrize("ask", [get, send, stream, pour], ids=["get", "send", "stream", "pour"])


@ASKED
@pytest.mark.parametrize("sent", ANSWERS.values(), ids=ANSWERS)
def test_no_answer_brings_the_token_into_a_text(
    ask: Callable[[Client], None], sent: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    events: list[Event] = []
    with wire(lambda connection: connection.sendall(sent)) as running:
        site = Site(f"http://127.0.0.1:{running.port}", name="Woodpecker", fingerprint="X-WOODPECKER-VERSION")
        http = Client(site, token=Secret(TOKEN), emit=events.append, budget=0.4)
        with pytest.raises(HomelabError) as caught:
            ask(http)
        http.close()
    searched(caught.value, events, caplog)


@ASKED
@pytest.mark.parametrize("problem", ["refused", "no such name", "certificate", "not TLS", "silent"])
def test_no_failing_connection_brings_the_token_into_a_text(
    ask: Callable[[Client], None], problem: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    events: list[Event] = []
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("ci.homelab.test").configure_cert(context)
    with wire(lambda c: c.recv(1), context=context if problem == "certificate" else None) as running:
        dial = {"refused": f"127.0.0.1:{free_port()}", "no such name": "nothing.invalid"}.get(problem, running.dial)
        url = "http://localhost" if problem == "silent" else "https://ci.homelab.test"
        http = Client(Site(url, dial=dial), token=Secret(TOKEN), emit=events.append, budget=0.4)
        with pytest.raises(HomelabError) as caught:
            ask(http)
        http.close()
    searched(caught.value, events, caplog)


@pytest.mark.parametrize("value", [f"{TOKEN}\n{TOKEN}", f" {TOKEN}", f"{TOKEN}\xe9", f"{TOKEN}\0"])
def test_a_token_that_cannot_be_one_is_not_quoted(value: str, caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(HomelabError) as caught:
        Client(Site("https://ci.homelab.test"), token=Secret(value))
    searched(caught.value, [], caplog)


@pytest.mark.parametrize(
    "reference", ["secret/homelab/ci#none", "secret/homelab/none#token", "secret/homelab/ci#number", "none/x#y"]
)
@pytest.mark.parametrize("vault_token", ["root", "narrow", "bogus"])
def test_no_answer_of_vault_brings_a_token_into_a_text(
    openbao: Running, reference: str, vault_token: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    openbao.write("homelab/ci", {"token": TOKEN, "number": ""})
    events: list[Event] = []
    tokens = {"root": openbao.root_token, "narrow": openbao.user_token("elsewhere"), "bogus": Secret("s.bogus-0123")}

    def http(site: Site, token: Secret | None) -> JsonHttp:
        return Client(site, token=token, emit=events.append, budget=1.0)

    server = CiServer("lab", "woodpecker", "https://ci.homelab.test", token_env=("CI_TOKEN",), token_vault=reference)
    vault = VaultServer(addr=f"http://{openbao.address}")
    env = {"VAULT_TOKEN": tokens[vault_token].reveal()}
    with pytest.raises(HomelabError) as caught:
        find_token(server, env=env, home=tmp_path, vault=vault, http=http)
    searched(caught.value, events, caplog)
    searched(caught.value, events, caplog, token=env["VAULT_TOKEN"])
