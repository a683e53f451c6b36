from __future__ import annotations

import fcntl
import json
import os
import threading
from pathlib import Path

import pytest

from homelab.errors import LockBusy, UsageError
from homelab.settings.trust import TrustStore
from tests.fakes import FakeClock


@pytest.fixture
def store(tmp_path: Path) -> TrustStore:
    return TrustStore(tmp_path / "state" / "trust.json", clock=FakeClock())


def test_only_the_exact_text_for_the_exact_repository_is_approved(store: TrustStore) -> None:
    store.approve("git.example/o/n", "make", now=1.0)
    assert store.approved("git.example/o/n", "make")
    assert not store.approved("git.example/o/n", "make ")
    assert not store.approved("git.example/o/other", "make")


def test_approvals_come_oldest_first_and_again_means_a_newer_time(store: TrustStore) -> None:
    for when, command in ((1.0, "a"), (2.0, "b"), (3.0, "a")):
        store.approve("k", command, now=when)
    assert [(each.command, each.approved) for each in store.approvals("k")] == [("b", 2.0), ("a", 3.0)]


def test_the_file_is_the_owners_alone_and_leaves_nothing_beside_it(store: TrustStore) -> None:
    store.approve("k", "a", now=1.0)
    assert store.path.stat().st_mode & 0o777 == 0o600
    assert sorted(path.name for path in store.path.parent.iterdir()) == ["trust.json", "trust.lock"]


def test_revoking_forgets_one_repository_and_keeps_the_others(store: TrustStore) -> None:
    for key in ("k", "l"):
        store.approve(key, "a", now=1.0)
    assert store.revoke("k") == 1
    assert store.revoke("k") == 0
    assert [each.key for each in store.all()] == ["l"]


def _tampered(store: TrustStore) -> str:
    store.approve("k", "make", now=1.0)
    return store.path.read_text().replace('"make"', '"rm -rf"')


@pytest.mark.parametrize(
    "body",
    [
        "",
        "{",
        "[]",
        "null",
        "3",
        '{"version": 2, "approvals": []}',
        '{"version": 1}',
        '{"version": 1, "approvals": [{}]}',
        '{"version": 1, "approvals": [{"key": 1, "command": "a", "sha256": "b", "approved": 1}]}',
        "[" * 100_000,
        "\0",
        "tampered",
    ],
)
def test_a_damaged_file_is_named_and_trusts_nothing(store: TrustStore, body: str) -> None:
    body = _tampered(store) if body == "tampered" else body
    store.path.parent.mkdir(exist_ok=True)
    store.path.write_text(body)
    store.path.chmod(0o600)
    for ask in (
        lambda: store.approved("k", "make"),
        lambda: store.approve("k", "a", now=1.0),
        lambda: store.revoke("k"),
    ):
        with pytest.raises(UsageError) as caught:
            ask()
        assert str(store.path) in caught.value.what
        assert store.path.read_text() == body


def test_a_file_that_others_may_write_trusts_nothing(store: TrustStore) -> None:
    store.approve("k", "make", now=1.0)
    store.path.chmod(0o622)
    with pytest.raises(UsageError, match="cannot be used"):
        store.approved("k", "make")


def test_a_folder_in_its_place_is_an_error(store: TrustStore) -> None:
    store.path.mkdir(parents=True)
    with pytest.raises(UsageError):
        store.approved("k", "make")


def test_two_writers_at_once_lose_nothing(tmp_path: Path) -> None:
    path = tmp_path / "trust.json"
    writers = [
        threading.Thread(target=lambda n=n: TrustStore(path).approve("k", f"command {n}", now=float(n)))
        for n in range(8)
    ]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert {each.command for each in TrustStore(path).approvals("k")} == {f"command {n}" for n in range(8)}


def test_a_held_lock_is_waited_for_and_then_named(store: TrustStore) -> None:
    store.approve("k", "a", now=1.0)
    handle = os.open(store.path.with_suffix(".lock"), os.O_RDWR)
    fcntl.flock(handle, fcntl.LOCK_EX)
    try:
        with pytest.raises(LockBusy):
            store.approve("k", "b", now=2.0)
    finally:
        os.close(handle)
    assert [each["command"] for each in json.loads(store.path.read_text())["approvals"]] == ["a"]


def test_a_state_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match="cannot be stored"):
        TrustStore(tmp_path / "file" / "trust.json").approve("k", "a", now=1.0)


def test_a_pipe_in_its_place_is_an_error_and_nothing_hangs(store: TrustStore) -> None:
    store.path.parent.mkdir()
    os.mkfifo(store.path, 0o600)
    with pytest.raises(UsageError):
        store.approved("k", "make")


def test_a_key_that_is_no_text_is_damage(store: TrustStore) -> None:
    store.approve("k", "make", now=1.0)
    store.path.write_text(store.path.read_text().replace('"k"', "1"))
    with pytest.raises(UsageError):
        store.all()
