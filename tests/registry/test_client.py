"""The registry's client against answers as the distribution specification gives them."""

from __future__ import annotations

import json

import pytest

from homelab.errors import HttpStatus, PermissionMissing, Unreachable
from homelab.registry.client import Access, Registry, same_site
from homelab.registry.image import Image
from homelab.registry.manifest import digest_of
from homelab.secret import Secret
from tests.registry.fakes import PaperRegistry, refusal

IMAGE = Image.parse("reg.example/t/app:v1")
INDEX = "application/vnd.oci.image.index.v1+json"
MINE = Secret("me:pass")


def client(paper: PaperRegistry, credentials: Secret | None = None, image: Image = IMAGE) -> Registry:
    return Registry(image, Access(paper.connect, credentials))


def index(*digests: str, kind: str = "") -> bytes:
    return json.dumps({"manifests": [{"digest": digest, "mediaType": kind} for digest in digests]}).encode()


def test_the_digest_is_what_the_registry_says_and_costs_one_head() -> None:
    paper = PaperRegistry({"v1": b"{}"})

    assert client(paper).digest() == "sha256:said"
    assert [method for *_, method, _ in paper.asked] == ["HEAD"]


def test_a_registry_that_says_no_digest_has_its_bytes_counted() -> None:
    paper = PaperRegistry({"v1": b'{"a": 1}'}, says_digest=False)

    assert client(paper).digest() == digest_of(b'{"a": 1}')


def test_a_tag_that_is_not_there_is_no_error() -> None:
    assert client(PaperRegistry()).digest() is None
    assert client(PaperRegistry()).manifest() is None


def test_an_index_inside_an_index_is_opened() -> None:
    paper = PaperRegistry({"v1": index("sha256:inner", kind=INDEX), "sha256:inner": index("sha256:leaf")})

    found = client(paper).manifest()

    assert found is not None
    assert found.digests == {"sha256:said", "sha256:inner", "sha256:leaf"}


def test_a_challenge_is_answered_with_the_stored_credentials_and_its_own_scope() -> None:
    paper = PaperRegistry({"v1": b"{}"}, realm="https://reg.example/token", takes={"t1"}, issues=["t1"])

    assert client(paper, MINE).digest() == "sha256:said"
    assert ("https://reg.example", "Basic", "me:pass", "GET", "/token") in paper.asked
    params = [token for _, what, token, *_ in paper.asked if what == "params"]
    assert params == ["[('scope', 'repository:t/app:pull,push'), ('service', 'reg')]"]
    assert paper.asked[-1][:3] == ("https://reg.example", "Bearer", "t1")


def test_credentials_never_reach_a_token_service_of_strangers() -> None:
    paper = PaperRegistry({"v1": b"{}"}, realm="https://evil.example/token", takes={"t1"}, issues=["t1"])

    assert client(paper, MINE).digest() == "sha256:said"
    assert not [one for one in paper.asked if "evil" in one[0] and "me:pass" in one]


def test_a_token_that_expired_is_asked_for_again() -> None:
    paper = PaperRegistry({"v1": b"{}"}, realm="https://reg.example/token", takes={"t1"}, issues=["t1", "t2"])
    registry = client(paper)
    registry.digest()
    paper.takes = {"t2"}

    assert registry.digest() == "sha256:said"


def test_a_basic_challenge_is_answered_at_once() -> None:
    paper = PaperRegistry({"v1": b"{}"}, realm="reg", scheme="Basic", takes={"me:pass"})

    assert client(paper, MINE).digest() == "sha256:said"
    assert paper.asked[-1][1] == "Basic"


@pytest.mark.parametrize("credentials", [MINE, None])
def test_a_refusal_says_that_denied_and_unknown_look_alike(credentials: Secret | None) -> None:
    paper = PaperRegistry(realm="https://reg.example/token", issues=["t1"])

    with pytest.raises(PermissionMissing, match=r"does not show t/app") as caught:
        client(paper, credentials).digest()

    assert "docker login reg.example" in caught.value.fix
    assert ("no credentials" in caught.value.why) is (credentials is None)


def test_a_registry_out_of_order_is_no_refusal() -> None:
    paper = PaperRegistry({"v1": b"{}"})

    def broken(_path: str) -> None:
        raise refusal(500)

    paper.fail = broken
    with pytest.raises(HttpStatus) as caught:
        client(paper).manifest()
    assert isinstance(caught.value, Unreachable)


@pytest.mark.parametrize(
    ("realm", "host", "expected"),
    [
        ("reg.example", "reg.example:5000", True),
        ("auth.docker.io", "registry-1.docker.io", True),
        ("gitlab.com", "registry.gitlab.com", True),
        ("auth.lab.example", "registry.lab.example", True),
        ("evil.example", "reg.example", False),
        ("a.evil.example", "registry.lab.example", False),
        ("auth.evil.co.uk", "registry.shop.co.uk", False),
        ("auth.shop.co.uk", "registry.shop.co.uk", True),
        ("evil.co.uk", "shop.co.uk", False),
        ("", "reg.example", False),
    ],
)
def test_a_token_service_is_the_registrys_own_or_a_stranger(realm: str, host: str, expected: bool) -> None:
    assert same_site(realm, host) is expected
