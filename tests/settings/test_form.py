from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from homelab.settings import form


@pytest.mark.parametrize(
    ("raw", "seconds"),
    [
        (90, 90.0),
        (2.5, 2.5),
        ("90", 90.0),
        ("90s", 90.0),
        ("5m", 300.0),
        ("1h30m", 5400.0),
        ("250ms", 0.25),
        ("1.5h", 5400.0),
    ],
)
def test_durations_are_read_as_seconds(raw: Any, seconds: float) -> None:
    assert form.seconds()(raw) == seconds


@pytest.mark.parametrize(
    "raw",
    [0, -1, True, "", "5 m", "5x", "m", "-5s", "1e3", float("inf"), float("nan"), "8d", "200h", 10**400, [], "9" * 99],
)
def test_no_other_duration_passes(raw: Any) -> None:
    with pytest.raises(form.UnfitError):
        form.seconds()(raw)


def test_zero_passes_only_where_nothing_is_a_choice() -> None:
    assert form.seconds(zero=True)(0) == 0.0


@pytest.mark.parametrize(
    ("raw", "clean"),
    [
        ("https://ci.example.org", "https://ci.example.org"),
        ("https://ci.example.org/", "https://ci.example.org"),
        ("http://127.0.0.1:8000/ci/", "http://127.0.0.1:8000/ci"),
        ("https://[2001:db8::1]:8443", "https://[2001:db8::1]:8443"),
    ],
)
def test_web_addresses_lose_only_a_trailing_slash(raw: str, clean: str) -> None:
    assert form.web_address(raw) == clean


@pytest.mark.parametrize(
    "raw",
    [
        "ci.example.org",
        "ftp://ci.example.org",
        "https://",
        "https://user@ci.example.org",
        "https://u:s3cr3t@ci.example.org",
        "https://ci.example.org?x=1",
        "https://ci.example.org/#a",
        "https://ci.example.org:0",
        "https://ci.example.org:99999",
        "https://ci.example.org:x",
        "https://ci.example.org\\@evil.example",
        "https://ci example.org",
        "https://ci.example.org/a b",
        "https://ci.example.org/a\\b",
        "https://-x.example",
        "https://a..b",
        "https://[::1",
        "https://\x1b.example",
        "",
        7,
    ],
)
def test_no_other_web_address_passes_and_none_is_repeated(raw: Any) -> None:
    with pytest.raises(form.UnfitError) as caught:
        form.web_address(raw)
    assert "s3cr3t" not in f"{caught.value.what}{caught.value.allowed}"


@pytest.mark.parametrize(
    "raw", ["192.0.2.10", "192.0.2.10:443", "[2001:db8::1]", "[2001:db8::1]:8443", "lb", "lb.example.org:8443"]
)
def test_dial_targets_pass_as_typed(raw: str) -> None:
    assert form.dial(raw) == raw


@pytest.mark.parametrize(
    "raw", ["", ":443", "lb:", "lb:0", "lb:70000", "lb:x", "u@lb", "https://lb", "lb/x", "2001:db8::1", "l b"]
)
def test_no_other_dial_target_passes(raw: str) -> None:
    with pytest.raises(form.UnfitError):
        form.dial(raw)


@pytest.mark.parametrize("raw", ["secret/ci#token", "kv/team/home lab#t"[:0] + "kv/team/homelab#t"])
def test_places_in_vault_pass(raw: str) -> None:
    assert form.vault_field(raw) == raw


@pytest.mark.parametrize(
    "raw", ["secret#token", "secret/ci", "/secret/ci#t", "secret//ci#t", "a/b#", "a/b#c#d", "a/../b#c", "a b/c#d"]
)
def test_no_other_place_in_vault_passes(raw: str) -> None:
    with pytest.raises(form.UnfitError):
        form.vault_field(raw)


def test_a_token_typed_as_the_name_of_a_variable_is_refused_without_being_repeated() -> None:
    with pytest.raises(form.UnfitError) as caught:
        form.env_name("eyJhbGciOi.x.y")
    assert "eyJ" not in f"{caught.value.what}{caught.value.allowed}"


@pytest.mark.parametrize(
    ("left", "right", "same"),
    [
        ("https://ci.example.org", "https://CI.example.org:443/path", True),
        ("https://ci.example.org", "https://ci.example.org./", True),
        ("https://ci.example.org", "http://ci.example.org", False),
        ("https://ci.example.org", "https://ci.example.org:8443", False),
        ("https://ci.example.org", "https://ci.example.org.evil.example", False),
    ],
)
def test_an_origin_is_scheme_host_and_port(left: str, right: str, same: bool) -> None:
    assert (form.origin_of(left) == form.origin_of(right)) is same


def test_paths_start_at_the_home_at_the_folder_or_at_the_root(tmp_path: Path) -> None:
    check = form.path_from(Path("/etc/x"), Path("/home/me"), exists=False)
    assert [check("~/a"), check("b"), check("/c")] == [Path("/home/me/a"), Path("/etc/x/b"), Path("/c")]
    with pytest.raises(form.UnfitError, match="not there"):
        form.path_from(tmp_path, tmp_path, exists=True)("gone.pem")


@pytest.mark.parametrize("raw", ["", "  ", "a\x1b[2J", "a\nb", "a\0b", "x" * 2000, 3, ["a"], None])
def test_text_is_one_line_without_anything_hidden(raw: Any) -> None:
    with pytest.raises(form.UnfitError):
        form.text(raw)


def test_lists_hold_only_what_their_items_may_be() -> None:
    assert form.texts(form.host)(["Git.Example.org", "[2001:db8::1]"]) == ("git.example.org", "2001:db8::1")
    for raw in ("git.example.org", ["a/b"], [3], {}):
        with pytest.raises(form.UnfitError):
            form.texts(form.host)(raw)
