"""Tiny images."""

from __future__ import annotations

import gzip
import io
import json
import tarfile
from pathlib import Path

import pytest

from homelab.lab.registry.digest import digest_of
from homelab.lab.registry.image import REVISION, BuiltImage, build


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    source = tmp_path / "source"
    (source / ".git").mkdir(parents=True)
    (source / ".git" / "HEAD").write_text("x")
    (source / "app.py").write_text("print('hello')\n")
    (source / "run").write_text("#!/bin/sh\n")
    (source / "run").chmod(0o755)
    return source


def files(image: BuiltImage) -> dict[str, int]:
    with tarfile.open(fileobj=io.BytesIO(gzip.decompress(image.layer))) as archive:
        return {entry.name: entry.mode for entry in archive}


def test_an_image_holds_the_folders_files_and_not_its_history(folder):
    assert files(build(folder, {})) == {"app/app.py": 0o644, "app/run": 0o755}


def test_the_same_files_and_labels_are_the_same_image(folder):
    first = build(folder, {"a": "1", "b": "2"})
    (folder / "app.py").touch()
    assert build(folder, {"b": "2", "a": "1"}).digest == first.digest
    assert build(folder, {"a": "2"}).digest != first.digest


def test_the_parts_name_each_other_by_digest_and_size(folder):
    image = build(folder, {REVISION: "abc"})
    manifest, config = json.loads(image.manifest), json.loads(image.config)
    assert manifest["config"]["digest"] == digest_of(image.config)
    assert (manifest["layers"][0]["digest"], manifest["layers"][0]["size"]) == (
        digest_of(image.layer),
        len(image.layer),
    )
    assert config["rootfs"]["diff_ids"] == [digest_of(gzip.decompress(image.layer))]
    assert config["config"]["Labels"] == manifest["annotations"] == {REVISION: "abc"}


def test_a_link_out_of_the_folder_is_left_out(folder, tmp_path: Path):
    secret = tmp_path / "secret"
    secret.write_text("s")
    (folder / "link").symlink_to(secret)
    assert "app/link" not in files(build(folder, {}))
