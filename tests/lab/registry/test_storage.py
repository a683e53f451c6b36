"""What the registry keeps."""

from __future__ import annotations

from pathlib import Path

import pytest

from homelab.lab.registry.digest import digest_of
from homelab.lab.registry.problems import Problem
from homelab.lab.registry.storage import Storage


@pytest.fixture
def storage(tmp_path: Path) -> Storage:
    return Storage(tmp_path)


def problem(code: str) -> object:
    return pytest.raises(Problem, check=lambda found: found.code == code)


def test_a_blob_is_found_by_its_digest(storage):
    storage.put_blob(b"content", digest_of(b"content"))
    assert storage.blob(digest_of(b"content")) == b"content"


def test_content_under_a_wrong_digest_is_refused(storage):
    with problem("DIGEST_INVALID"):
        storage.put_blob(b"content", digest_of(b"other"))
    assert not storage.has_blob(digest_of(b"other"))


def test_an_upload_grows_and_becomes_a_blob(storage):
    name = storage.start_upload()
    assert storage.append(name, b"con") == 3
    storage.append(name, b"tent")
    storage.finish_upload(name, digest_of(b"content"))
    assert storage.blob(digest_of(b"content")) == b"content"
    with problem("BLOB_UPLOAD_UNKNOWN"):
        storage.append(name, b"more")


@pytest.mark.parametrize("name", ["../../etc/passwd", "x", ""])
def test_an_upload_name_is_no_path(storage, name):
    with problem("BLOB_UPLOAD_UNKNOWN"):
        storage.upload_size(name)


def test_a_manifest_is_found_by_tag_and_by_digest(storage):
    digest = storage.put_manifest("demo/app", "v1", "type", b"{}")
    assert storage.manifest("demo/app", "v1") == storage.manifest("demo/app", digest)
    assert storage.manifest("demo/app", "v1").media_type == "type"


def test_a_tag_moves_to_what_was_pushed_last(storage):
    first = storage.put_manifest("demo/app", "v1", "type", b"{}")
    second = storage.put_manifest("demo/app", "v1", "type", b"{ }")
    assert storage.manifest("demo/app", "v1").digest == second
    assert storage.manifest("demo/app", first).digest == first


def test_deleting_a_digest_takes_its_tags_along(storage):
    digest = storage.put_manifest("demo/app", "v1", "type", b"{}")
    storage.put_manifest("demo/app", "v2", "type", b"{ }")
    storage.delete_manifest("demo/app", digest)
    assert storage.tags("demo/app") == ["v2"]
    with problem("MANIFEST_UNKNOWN"):
        storage.manifest("demo/app", "v1")


def test_tags_of_an_unknown_repository_are_none(storage):
    assert storage.tags("demo/none") is None


def test_what_was_pushed_is_there_after_a_restart(storage, tmp_path: Path):
    storage.put_manifest("demo/app", "v1", "type", b"{}")
    assert Storage(tmp_path).tags("demo/app") == ["v1"]
    assert Storage(tmp_path).repositories() == ["demo/app"]
