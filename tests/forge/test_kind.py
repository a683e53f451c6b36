from __future__ import annotations

import pytest

from homelab.forge.kind import api_of, kind_of, request_page
from homelab.git.remote_url import parse
from homelab.settings.model import Forge

PAGES = [
    ("git@github.com:o/n.git", "github", "https://github.com/o/n/compare/main...u/x?expand=1"),
    (
        "git@gitlab.com:g/s/n.git",
        "gitlab",
        (
            "https://gitlab.com/g/s/n/-/merge_requests/new?merge_request%5Bsource_branch%5D=u%2Fx"
            "&merge_request%5Btarget_branch%5D=main"
        ),
    ),
    ("ssh://git@git.example:2222/o/n", "forgejo", "https://git.example/o/n/compare/main...u/x"),
    ("https://git.example:3000/o/n", "gitea", "https://git.example:3000/o/n/compare/main...u/x"),
    ("https://git.example/o/n", "", ""),
    ("/srv/n.git", "gitea", ""),
]


@pytest.mark.parametrize(("url", "kind", "page"), PAGES)
def test_each_forge_has_its_own_page_for_a_request(url: str, kind: str, page: str) -> None:
    assert request_page(parse(url), "main", "u/x", kind=kind) == page


def test_a_forge_is_known_by_its_host_or_its_words() -> None:
    assert kind_of(parse("git@codeberg.org:o/n"), ()) == "forgejo"
    assert kind_of(parse("git@git.example:o/n"), ("GitLab: no",)) == "gitlab"
    assert kind_of(parse("git@git.example:o/n"), ("Gitea: Not allowed to push to protected branch main",)) == "forgejo"
    assert kind_of(parse("git@git.example:o/n"), ("hello",)) == ""


APIS = [
    (Forge("git.example"), "forgejo", "https://git.example/api/v1"),
    (Forge("git.example", base_path="/forge"), "gitea", "https://git.example/forge/api/v1"),
    (Forge("gitlab.com"), "gitlab", "https://gitlab.com/api/v4"),
    (Forge("github.com"), "github", "https://api.github.com"),
    (Forge("ghe.example"), "github", "https://ghe.example/api/v3"),
    (Forge("git.example", api="https://api.example/v1"), "forgejo", "https://api.example/v1"),
]


@pytest.mark.parametrize(("forge", "kind", "api"), APIS)
def test_the_api_is_where_the_kind_has_it_unless_it_is_configured(forge: Forge, kind: str, api: str) -> None:
    assert api == api_of(forge, kind)
