"""What a user reads when something between them and the answer is wrong: each its own words and its own code."""

from __future__ import annotations

import datetime as dt
import http.server
import json
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme

from homelab.clock import SystemClock
from homelab.lab.caddy import Certificate
from homelab.lab.ledger import Ledger
from homelab.lab.openbao import Running as RunningOpenBao
from tests.e2e.conftest import StartCaddy
from tests.e2e.lab_user import User, user

__all__ = ["user"]
pytestmark = pytest.mark.timeout(300)

TOKEN = "the-token-that-must-not-travel"


@pytest.fixture
def upstream() -> Iterator[tuple[str, list[str]]]:
    """A server that answers every request with a login page and keeps all it was sent."""
    heard: list[str] = []

    class Portal(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            heard.append(f"{self.path}\n{self.headers}")
            page = b"<!doctype html><html><title>Sign in</title><form>...</form></html>"
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.send_header("Content-Length", str(len(page)))
            self.end_headers()
            self.wfile.write(page)

        def log_message(self, *args: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Portal)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"127.0.0.1:{server.server_port}", heard
    server.shutdown()
    server.server_close()


def refused(user: User, *words: str, code: int, **env: str) -> str:
    """Type a command that must end with ``code``; return its error, checked for its form and for secrets."""
    done = user.types(*words, **env)
    text = done.stderr
    assert done.returncode == code, done.stdout + text
    assert "Traceback" not in text
    assert "\nwhy: " in text
    assert "\nnext: " in text
    assert text.splitlines()[-1].endswith(f"(exit {code})")
    for secret in (TOKEN, user.env["VAULT_TOKEN"]):
        assert secret not in done.stdout + text
    return text


def test_a_wrong_token_exits_4_and_is_not_read_as_an_empty_answer(user: User) -> None:
    assert "token" in refused(user, "ci", "status", code=4, HOMELAB_CI_TOKEN=TOKEN)


def test_an_unknown_repository_exits_7(user: User, tmp_path: Path) -> None:
    user.shell(f"git clone -q . {tmp_path}/other")
    other = tmp_path / "other"
    user.shell("git remote set-url origin ssh://git@git.homelab.test/demo/absent.git", cwd=other)
    done = user.types("ci", "status", cwd=other)
    assert done.returncode == 7
    assert "demo/absent" in done.stderr + done.stdout


def test_a_sealed_vault_exits_6_and_says_unseal(user: User) -> None:
    child = Ledger(user.lab / "children.json").children()["openbao"]
    port = int(
        json.loads((user.lab / "openbao" / "openbao.json").read_text())["listener"][0]["tcp"]["address"].split(":")[1]
    )
    vault = RunningOpenBao(child=child, port=port, folder=user.lab / "openbao", clock=SystemClock())
    vault.seal()
    try:
        assert "sealed" in refused(user, "ci", "status", code=6)
    finally:
        vault.unseal()
    # Asked and answered: no run for the commit, or none yet while it is new.
    assert user.types("ci", "status").returncode in {7, 8}


def test_an_unreachable_load_balancer_exits_5_and_names_the_address(user: User) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        dial = f"127.0.0.1:{probe.getsockname()[1]}"
    text = refused(user, "ci", "status", code=5, HOMELAB_CI_DIAL=dial, HOMELAB_CI_TOKEN=TOKEN, HOMELAB_TIMEOUT_HTTP="2")
    assert dial in text


def test_a_login_page_exits_5_and_is_called_one(user: User, caddy: StartCaddy, upstream: tuple[str, list[str]]) -> None:
    address, _ = upstream
    running = caddy({"ci.homelab.test": address})
    env = {"HOMELAB_CI_DIAL": running.dial, "HOMELAB_CI_CA_FILE": str(running.ca_file), "HOMELAB_CI_TOKEN": TOKEN}
    text = refused(user, "ci", "status", code=5, HOMELAB_TIMEOUT_HTTP="5", **env)
    assert "login" in text.lower()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[ci.home\n", ":1"),
        ("[ci.home]\nkind = 'woodpecker'\nurl = 'ci.example.org'\n", ":3 [ci.home.url]"),
        ("[ci.home]\nkind = 'jenkins'\nurl = 'https://ci.example.org'\n", ":2 [ci.home.kind]"),
        ("[ci.home]\nkind = 'woodpecker'\nurl = 'https://ci.example.org'\ntokn_env = ['A']\n", ":4 [ci.home.tokn_env]"),
        ("[timeouts]\nci = 'soon'\n", ":2 [timeouts.ci]"),
    ],
    ids=["syntax", "url", "kind", "unknown key", "duration"],
)
def test_a_malformed_config_exits_2_with_path_line_and_key(user: User, tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "config.toml"
    file.write_text(text)
    assert f"{file}{said}" in refused(user, "ci", "status", code=2, HOMELAB_CONFIG=str(file))


def _certificate(folder: Path, authority: trustme.CA, name: str, *, days: int = 30) -> Certificate:
    now = dt.datetime.now(dt.UTC)
    made = authority.issue_cert(name, not_before=now - dt.timedelta(days=60), not_after=now + dt.timedelta(days=days))
    chain, key = folder / "chain.pem", folder / "key.pem"
    chain.write_bytes(b"".join(blob.bytes() for blob in made.cert_chain_pems))
    made.private_key_pem.write_to_path(key)
    return Certificate(chain=chain, key=key)


@pytest.mark.parametrize(
    ("name", "days", "known", "reason"),
    [
        ("other.homelab.test", 30, True, "for another name"),
        ("ci.homelab.test", -1, True, "has expired"),
        ("ci.homelab.test", 30, False, "from an authority unknown"),
    ],
    ids=["another name", "expired", "unknown authority"],
)
def test_a_certificate_that_proves_nothing_is_refused_before_a_byte_of_the_token_is_sent(
    user: User,
    caddy: StartCaddy,
    upstream: tuple[str, list[str]],
    tmp_path: Path,
    name: str,
    days: int,
    known: bool,
    reason: str,
) -> None:
    address, heard = upstream
    authority = trustme.CA()
    running = caddy({"ci.homelab.test": address}, certificate=_certificate(tmp_path, authority, name, days=days))
    ca = tmp_path / "ca.pem"
    (authority if known else trustme.CA()).cert_pem.write_to_path(ca)
    env = {"HOMELAB_CI_DIAL": running.dial, "HOMELAB_CI_CA_FILE": str(ca), "HOMELAB_CI_TOKEN": TOKEN}
    assert reason in refused(user, "ci", "status", code=5, **env)
    assert heard == []


def test_a_repository_s_command_does_not_run_before_it_is_approved(user: User, tmp_path: Path) -> None:
    ran = tmp_path / "ran"
    tree = user.change("hostile", ".homelab.toml", "python3 -m unittest", f"touch {ran}")
    for words in (
        ("work", "land"),
        ("work", "land", "--output", "ndjson"),
        ("config", "show"),
        ("doctor",),
        ("trust",),
    ):
        user.types(*words, cwd=tree)
        assert not ran.exists(), words
    assert user.types("work", "land", cwd=tree).returncode == 6
    shown = user.types("trust", cwd=tree)
    assert shown.returncode == 6
    assert f"touch {ran}" in shown.stdout + shown.stderr


@pytest.mark.parametrize("line", ["[ci]\nurl = 'https://evil.example'\n", "[vault]\naddr = 'https://evil.example'\n"])
def test_a_repository_cannot_name_a_host(user: User, line: str) -> None:
    file = user.clone / ".homelab.toml"
    before = file.read_text()
    try:
        file.write_text(before + line)
        text = refused(user, "config", "show", code=2)
    finally:
        file.write_text(before)
    assert ".homelab.toml" in text
