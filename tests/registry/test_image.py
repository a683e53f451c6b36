from __future__ import annotations

import json
from pathlib import Path

import pytest

from homelab.ci.image import expand
from homelab.errors import UsageError
from homelab.registry.credentials import credentials
from homelab.registry.image import Image
from homelab.secret import Secret
from tests.ci.fakes import OID


@pytest.mark.parametrize(
    ("said", "host", "path", "reference"),
    [
        ("registry.example/team/app:v1", "registry.example", "team/app", "v1"),
        ("localhost:5000/app", "localhost:5000", "app", "latest"),
        ("app:v1", "registry-1.docker.io", "library/app", "v1"),
        ("team/app", "registry-1.docker.io", "team/app", "latest"),
        ("r.example/a/b/c@sha256:" + "0" * 64, "r.example", "a/b/c", "sha256:" + "0" * 64),
    ],
)
def test_an_image_is_taken_apart(said: str, host: str, path: str, reference: str) -> None:
    image = Image.parse(said)

    assert (image.host, image.path, image.reference) == (host, path, reference)


@pytest.mark.parametrize("said", ["registry.example/Team/App:v1", "a b", "r.example/app:" + "x" * 200, ""])
def test_what_is_no_image_is_a_usage_error(said: str) -> None:
    with pytest.raises(UsageError):
        Image.parse(said)


def test_plain_http_is_for_this_machine_alone() -> None:
    assert Image.parse("127.0.0.1:5000/app").url == "http://127.0.0.1:5000"
    assert Image.parse("registry.example:5000/app").url == "https://registry.example:5000"


def test_the_commit_goes_into_the_image() -> None:
    assert expand("r.example/app:{sha12}", OID) == "r.example/app:" + "a" * 12
    assert expand("r.example/app", OID) == "r.example/app:" + OID


def test_credentials_are_those_stored_for_the_host(tmp_path: Path) -> None:
    (tmp_path / ".docker").mkdir()
    (tmp_path / ".docker" / "config.json").write_text(json.dumps({"auths": {"https://r.example": {"auth": "YTpi"}}}))

    assert credentials({}, tmp_path, "r.example") == Secret("YTpi")
    assert credentials({}, tmp_path, "evil.example") is None
    assert credentials({"DOCKER_CONFIG": str(tmp_path / "none")}, tmp_path, "r.example") is None
