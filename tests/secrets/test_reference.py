from __future__ import annotations

import pytest

from homelab.errors import UsageError
from homelab.secrets.reference import Reference


@pytest.mark.parametrize("text", ["secret/homelab/ci#token", "/secret/homelab/ci/#token", " secret/homelab/ci#token "])
def test_a_reference_is_taken_apart(text: str) -> None:
    assert Reference.parse(text) == Reference("secret/homelab/ci", "token")


def test_the_shortest_reference_is_a_mount_and_one_name_and_is_written_as_it_is_typed() -> None:
    assert str(Reference.parse("secret/ci#token")) == "secret/ci#token"


@pytest.mark.parametrize("text", ["", "secret", "secret#token", "secret/ci", "secret/ci#", "secret//ci#t", "a/../b#t"])
def test_a_reference_that_names_no_field_of_a_path_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="token_vault cannot be used"):
        Reference.parse(text)


@pytest.mark.parametrize(
    ("mount", "below"), [("secret/", "homelab/ci"), ("secret/homelab/", "ci"), ("secret", "homelab/ci")]
)
def test_a_path_is_cut_where_the_mount_ends(mount: str, below: str) -> None:
    assert Reference("secret/homelab/ci", "token").below(mount) == below
