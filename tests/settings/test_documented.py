"""The examples of docs/configuration.md are what the program accepts, and name every key it knows."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from homelab.settings import repository_file, user_file
from homelab.settings.environment import Environment
from tests.settings.fakes import settings

PAGE = (Path(__file__).parents[2] / "docs" / "configuration.md").read_text()


def _example(name: str) -> str:
    found = re.search(rf"<!-- {name} -->\n```toml\n(.*?)```", PAGE, re.DOTALL)
    assert found, name
    return found[1]


def test_both_examples_load(tmp_path: Path) -> None:
    loaded = settings(tmp_path, _example("user file"), _example("repository file"))
    assert loaded.ci["home"].dial == "192.0.2.10:443"
    assert [target.slug for target in loaded.repository.deploy] == ["prod/web"]


def test_the_user_example_names_every_key() -> None:
    parts = dict(re.findall(r"^\[(\w+)[^\n]*\n(.*?)(?=^\[|\Z)", _example("user file"), re.DOTALL | re.MULTILINE))
    assert set(parts) == set(user_file._SECTIONS)
    for section, text in parts.items():
        named = set(re.findall(r"^(?:# )?(\w+) = ", text, re.MULTILINE))
        assert named == set(user_file._keys(section, Path(), Path())), section


def test_the_repository_example_names_every_key() -> None:
    parsed = tomllib.loads(_example("repository file"))
    for section, keys in repository_file._SECTIONS.items():
        assert set(parsed[section]) == set(keys)
    assert set(parsed["deploy"][0]) == set(repository_file._TARGET)


@pytest.mark.parametrize("name", user_file.TIMEOUTS)
def test_every_timeout_variable_is_documented(name: str) -> None:
    assert f"_{name.upper()}`" in PAGE


def test_every_variable_that_is_read_is_documented() -> None:
    source = Path(Environment.over.__code__.co_filename).read_text()
    for name in re.findall(r'"((?:HOMELAB|VAULT|WOODPECKER)_[A-Z_]+|KUBECONFIG)"', source):
        assert f"`{name}" in PAGE, name


@pytest.mark.parametrize(
    "word",
    [*user_file.CI_KINDS, *user_file.FORGE_KINDS, *user_file.STRATEGIES, *repository_file.WORKLOAD_KINDS],
)
def test_every_word_a_key_may_hold_is_documented(word: str) -> None:
    assert re.search(rf"\b{word}\b", PAGE)
