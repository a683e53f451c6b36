"""Certificates on real wires: what is refused, with which words, and that no byte of a token leaves."""

from __future__ import annotations

import datetime as dt
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme

from homelab.errors import CertificateRefused, Unreachable, WrongService
from homelab.http.client import Client
from homelab.http.port import Site
from homelab.lab.caddy import Certificate
from homelab.secret import Secret
from tests.e2e.conftest import StartCaddy
from tests.e2e.wires import Wire, answer, wire

TOKEN = Secret("tok-8c1f2e-never-on-a-foreign-wire")
NAME = "ci.homelab.test"
YESTERDAY = dt.datetime.now(tz=dt.UTC) - dt.timedelta(days=1)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> tuple[trustme.CA, Path]:
    ca, path = trustme.CA(), tmp_path_factory.mktemp("ca") / "ca.pem"
    ca.cert_pem.write_to_path(str(path))
    return ca, path


@pytest.fixture(scope="module")
def upstream() -> Iterator[Wire]:
    with wire(lambda connection: connection.sendall(answer(b'{"login": "me"}'))) as running:
        yield running


def client(dial: str, ca_file: Path | None, url: str = f"https://{NAME}") -> Client:
    return Client(Site(url, dial=dial, ca_file=ca_file, name="Woodpecker"), token=TOKEN, budget=3.0)


def written(leaf: trustme.LeafCert, folder: Path) -> Certificate:
    chain, key = folder / "chain.pem", folder / "key.pem"
    chain.write_bytes(b"".join(blob.bytes() for blob in leaf.cert_chain_pems))
    key.write_bytes(leaf.private_key_pem.bytes())
    return Certificate(chain, key)


def flawed(ca: trustme.CA, problem: str) -> trustme.LeafCert:
    if problem == "expired":
        return ca.issue_cert(NAME, not_before=YESTERDAY - dt.timedelta(days=9), not_after=YESTERDAY)
    return ca.issue_cert("other.homelab.test" if problem == "name" else NAME)


def refusal(asked: Client) -> CertificateRefused:
    with pytest.raises(CertificateRefused) as caught:
        asked.get("/api/user")
    asked.close()
    assert caught.value.outcome == 5
    return caught.value


def test_the_public_name_is_reached_through_the_dialed_load_balancer(caddy: StartCaddy, upstream: Wire) -> None:
    front = caddy({NAME: upstream.dial})
    asked = client(front.dial, front.ca_file)
    assert asked.get("/api/user") == {"login": "me"}
    asked.close()
    assert b"Authorization: Bearer " + TOKEN.reveal().encode() in upstream.received
    assert f"Host: {NAME}\r\n".encode() in upstream.received


@pytest.mark.parametrize(
    ("problem", "said"),
    [
        ("name", f"is for another name than {NAME}"),
        ("expired", "has expired"),
        ("authority", "is from an authority unknown here"),
    ],
)
def test_a_load_balancer_with_a_bad_certificate_is_refused_and_gets_no_request(
    caddy: StartCaddy,
    tmp_path: Path,
    authority: tuple[trustme.CA, Path],
    problem: str,
    said: str,
) -> None:
    with wire(lambda connection: connection.sendall(answer(b"{}"))) as behind:
        front = caddy({NAME: behind.dial}, certificate=written(flawed(authority[0], problem), tmp_path))
        error = refusal(client(front.dial, None if problem == "authority" else authority[1]))
        assert said in error.what
        assert error.why.endswith("nothing was sent")
        assert behind.connections == 0


@pytest.mark.parametrize("problem", ["name", "expired", "authority"])
def test_not_a_byte_is_sent_over_a_refused_handshake(
    tmp_path: Path, authority: tuple[trustme.CA, Path], problem: str
) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    flawed(authority[0], problem).configure_cert(context)
    with wire(lambda connection: connection.sendall(answer(b"{}")), context=context) as recorder:
        refusal(client(recorder.dial, None if problem == "authority" else authority[1]))
        assert recorder.connections == 1
        assert bytes(recorder.received) == b""


def test_a_plain_port_is_told_apart_and_never_sees_the_token() -> None:
    with wire(lambda connection: connection.sendall(answer(b"{}", status="400 Bad Request"))) as plain:
        asked = client(plain.dial, None)
        with pytest.raises((WrongService, Unreachable)) as caught:
            asked.get("/api/user", budget=1.0)
        asked.close()
        assert TOKEN.reveal().encode() not in plain.received
    assert caught.value.outcome == 5


def test_a_load_balancer_without_that_name_is_unreachable_with_a_hint(caddy: StartCaddy, upstream: Wire) -> None:
    front = caddy({"vault.homelab.test": upstream.dial})
    asked = client(front.dial, front.ca_file)
    with pytest.raises(Unreachable, match="refuses TLS") as caught:
        asked.get("/api/user", budget=1.0)
    asked.close()
    assert caught.value.why.endswith(f"perhaps it has no certificate for {NAME}")


def test_a_v6_load_balancer_is_reached(authority: tuple[trustme.CA, Path]) -> None:
    ca, ca_file = authority
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ca.issue_cert(NAME).configure_cert(context)
    with wire(lambda connection: connection.sendall(answer(b"[]")), context=context, host="::1") as front:
        asked = client(f"[::1]:{front.port}", ca_file)
        assert asked.get("/api/user") == []
        asked.close()


def test_the_name_an_internationalised_url_asks_for_is_its_ascii_form(authority: tuple[trustme.CA, Path]) -> None:
    ca, ca_file = authority
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ca.issue_cert("xn--bcher-kva.homelab.test").configure_cert(context)
    with wire(lambda connection: connection.sendall(answer(b"[]")), context=context) as front:
        asked = client(front.dial, ca_file, "https://bücher.homelab.test:8443/ci/")
        assert asked.get("/api/user") == []
        asked.close()
        assert front.received.startswith(b"GET /ci/api/user HTTP/1.1\r\nHost: xn--bcher-kva.homelab.test:8443\r\n")


def test_an_address_in_the_url_is_checked_against_the_certificate(authority: tuple[trustme.CA, Path]) -> None:
    ca, ca_file = authority
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ca.issue_cert("10.9.8.7").configure_cert(context)
    with wire(lambda connection: connection.sendall(answer(b"[]")), context=context) as front:
        asked = client(front.dial, ca_file, "https://10.9.8.7")
        assert asked.get("/api/user") == []
        asked.close()
        assert "another name" in refusal(client(front.dial, ca_file, "https://10.9.8.8")).what
