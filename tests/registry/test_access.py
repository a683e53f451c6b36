"""Which registries are the user's, and how they are reached: by the user's own word alone."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from homelab.app import App
from homelab.registry.access import knows, registry_of
from homelab.registry.image import Image
from homelab.tier import Tier
from tests.fakes import world
from tests.work.site import Recorder

LISTED = """
[registry."reg.example:5000"]
url = "http://192.0.2.9:5000"
[registry."docker.io"]
dial = "192.0.2.7"
"""


@pytest.fixture
def app(tmp_path: Path) -> App:
    (tmp_path / "config.toml").write_text(LISTED)
    docker = tmp_path / "home" / ".docker"
    docker.mkdir(parents=True)
    (docker / "config.json").write_text(json.dumps({"auths": {"login.example": {"auth": "YTpi"}}}))
    surroundings = world(tmp_path, env={"HOMELAB_CONFIG": str(tmp_path / "config.toml")})
    return App(surroundings, tier=Tier.READ, renderer=Recorder())


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("reg.example:5000", True),
        ("registry-1.docker.io", True),
        ("login.example", True),
        ("reg.example", False),
        ("evil.example", False),
    ],
)
def test_a_registry_is_the_users_by_file_or_by_login(app: App, host: str, expected: bool) -> None:
    assert knows(app, host) is expected


def test_what_the_users_file_says_of_the_address_is_where_the_registry_is_asked(app: App) -> None:
    found = registry_of(app, Image.parse("reg.example:5000/t/app:v1"))._http.site
    assert (found.url, found.token_scheme) == ("http://192.0.2.9:5000", "Bearer")
    hub = registry_of(app, Image.parse("team/app:v1"))._http.site
    assert (hub.url, hub.dial) == ("https://registry-1.docker.io", "192.0.2.7")
    other = registry_of(app, Image.parse("other.example/app:v1"))._http.site
    assert (other.url, other.dial, other.ca_file) == ("https://other.example", None, None)
