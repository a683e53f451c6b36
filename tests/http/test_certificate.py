from __future__ import annotations

import pytest

from homelab.http.certificate import life
from homelab.http.port import Site


@pytest.mark.parametrize(
    ("site", "env"),
    [
        (Site("http://127.0.0.1:9"), {}),
        (Site("https://ci.example.org"), {"https_proxy": "http://127.0.0.1:9"}),
        (Site("https://ci.example.org", dial="127.0.0.1:9"), {}),
    ],
    ids=["plain http", "behind a proxy", "nobody listens"],
)
def test_where_no_certificate_can_be_seen_there_is_no_life(site: Site, env: dict[str, str]) -> None:
    """What a seen one looks like is proven against Caddy in tests/e2e/test_doctor.py."""
    assert life(site, env=env) is None
