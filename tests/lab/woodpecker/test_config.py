from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from homelab.errors import UsageError
from homelab.lab.woodpecker.config import load
from tests.lab.woodpecker.lab import make_config


def write(folder: Path, mode: int = 0o600, **change: Any) -> Path:
    secret = folder / "secret"
    secret.touch()
    secret.chmod(mode)
    secret.write_text("hush\n")
    record: dict[str, Any] = {
        "host": "https://ci.homelab.test",
        "users": [{"login": "dev", "token_file": str(secret)}],
        "repositories": [{"full_name": "a/b/c", "path": "/srv/c.git", "secrets": {"key": str(secret)}, "timeout": 5}],
        **change,
    }
    (folder / "ci.json").write_text(json.dumps(record))
    return folder / "ci.json"


def test_everything_stands_in_one_file_and_secrets_in_their_own(tmp_path: Path) -> None:
    config = load(write(tmp_path, capacity=3, environment={"A": "b"}))
    assert config.user("hush") is config.users[0]
    assert config.user("") is config.user("other") is None
    (repository,) = config.repositories
    assert (repository.id, repository.owner, repository.name, repository.timeout) == (1, "a/b", "c", 5)
    assert repository.secrets["key"].reveal() == "hush"
    assert (config.capacity, config.environment) == (3, {"A": "b"})
    assert "hush" not in repr(config)


@pytest.mark.parametrize(
    "change",
    [{"users": [{"login": "x"}]}, {"unknown": 1}, {"repositories": [{"path": "/x"}]}, {"host": None, "users": 3}],
)
def test_a_file_that_does_not_fit_is_a_usage_error_that_names_it(tmp_path: Path, change: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match=r"ci\.json"):
        load(write(tmp_path, **change))


def test_a_secret_others_may_read_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="may be read by others"):
        load(write(tmp_path, mode=0o640))


@pytest.mark.parametrize(
    ("visibility", "who", "expected"),
    [
        ("private", "dev", ["pull", "push", "admin"]),
        ("private", "reader", ["pull"]),
        ("private", "stranger", []),
        ("private", "admin", ["pull", "push", "admin"]),
        ("private", None, []),
        ("internal", "stranger", ["pull"]),
        ("internal", None, []),
        ("public", "stranger", ["pull"]),
        ("public", None, ["pull"]),
    ],
)
def test_rights_follow_from_permission_and_visibility(visibility: str, who: str | None, expected: list[str]) -> None:
    config = make_config(Path("/srv"))
    repository = replace(config.repositories[0], visibility=visibility)
    user = next((user for user in config.users if user.login == who), None)
    assert expected == [right for right in ("pull", "push", "admin") if repository.allows(user, right)]
