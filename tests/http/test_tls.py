from __future__ import annotations

import os
import ssl
import subprocess
import sys
from pathlib import Path

import pytest
import trustme

from homelab.errors import UsageError
from homelab.http import tls
from homelab.http.ask import Ask
from homelab.http.port import Site


def test_clients_of_the_same_authority_share_one_context(tmp_path: Path) -> None:
    trustme.CA().cert_pem.write_to_path(tmp_path / "ca.pem")
    assert tls.context(tmp_path / "ca.pem") is tls.context(tmp_path / "ca.pem")
    assert tls.context(None) is not tls.context(tmp_path / "ca.pem")


def test_an_authority_that_was_made_anew_is_read_anew(tmp_path: Path) -> None:
    trustme.CA().cert_pem.write_to_path(tmp_path / "ca.pem")
    before = tls.context(tmp_path / "ca.pem")
    trustme.CA().cert_pem.write_to_path(tmp_path / "new.pem")
    (tmp_path / "new.pem").replace(tmp_path / "ca.pem")
    assert tls.context(tmp_path / "ca.pem") is not before


def test_a_ca_file_adds_to_the_authorities_and_replaces_none(tmp_path: Path) -> None:
    trustme.CA().cert_pem.write_to_path(tmp_path / "ca.pem")
    plain, added = tls.context(None), tls.context(tmp_path / "ca.pem")
    assert added.cert_store_stats()["x509_ca"] == plain.cert_store_stats()["x509_ca"] + 1


def authorities(tmp_path: Path, store: str) -> int:
    """Count the authorities of a process whose system store is ``store`` and an empty folder."""
    (tmp_path / "none").mkdir()
    code = "from homelab.http import tls; print(tls.context(None).cert_store_stats()['x509_ca'])"
    env = {**os.environ, "SSL_CERT_FILE": str(tmp_path / store), "SSL_CERT_DIR": str(tmp_path / "none")}
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True, timeout=30)
    return int(done.stdout)


def test_the_systems_authorities_are_the_only_ones(tmp_path: Path) -> None:
    trustme.CA().cert_pem.write_to_path(tmp_path / "ca.pem")
    assert authorities(tmp_path, "ca.pem") == 1


def test_a_machine_without_authorities_gets_certifis(tmp_path: Path) -> None:
    assert authorities(tmp_path, "missing.pem") > 50


@pytest.mark.parametrize("path", [None, "ca.pem"])
def test_every_context_verifies(tmp_path: Path, path: str | None) -> None:
    trustme.CA().cert_pem.write_to_path(tmp_path / "ca.pem")
    built = tls.context(tmp_path / path if path else None)
    assert (built.verify_mode, built.check_hostname) == (ssl.CERT_REQUIRED, True)


def test_a_missing_ca_file_is_an_error_of_configuration(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        tls.context(tmp_path / "none.pem")


@pytest.mark.parametrize("content", ["", "not PEM", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"])
def test_a_ca_file_without_a_certificate_is_an_error_of_configuration(tmp_path: Path, content: str) -> None:
    (tmp_path / "ca.pem").write_text(content)
    with pytest.raises(UsageError, match="holds no certificate authority"):
        tls.context(tmp_path / "ca.pem")


@pytest.mark.parametrize(
    ("code", "said"),
    [
        (62, "is for another name than ci.example.org"),
        (10, "has expired"),
        (9, "is not valid yet"),
        (20, "is from an authority unknown here"),
        (18, "is from an authority unknown here"),
        (23, "was refused"),
    ],
)
def test_each_broken_promise_of_a_certificate_has_its_own_sentence(code: int, said: str) -> None:
    error = ssl.SSLCertVerificationError("x")
    error.verify_code, error.verify_message = code, "the library's words"
    site = Site("https://ci.example.org", dial="10.0.0.1")
    refused = tls.refused(Ask(site, "GET", "/", "ci.example.org", "10.0.0.1:443"), error)
    assert said in refused.what
    assert refused.why == "the library's words; nothing was sent"
    assert refused.outcome == 5
