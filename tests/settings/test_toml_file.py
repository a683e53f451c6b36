from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from homelab.errors import ConfigError
from homelab.settings.toml_file import LARGEST, MOST_DOTS, dotted, read


@pytest.mark.parametrize(
    ("body", "line", "said"),
    [
        (b"a = 1\nb = \n", 2, "is not TOML"),
        (b"a = 1\na = 2\n", 2, "is not TOML"),
        (b'a = 1\nb = "\xff"\n', 2, "is not UTF-8"),
        (b"a = 1\nb = '\0'\n", 2, "is not TOML"),
        (b"\xff\xfea\0", 1, "is not UTF-8"),
        (b"a = [\n", 2, "is not TOML"),
        (b"a = " + b"[" * 50_000, None, "too deeply"),
        (b"a = " + b"9" * 5000, None, "absurd number"),
        (b"#" * (LARGEST + 1), None, "too large"),
        (b"\n[" + b".".join([b"a"] * 30_000) + b"]", 2, "dots"),
    ],
    ids=["syntax", "twice", "latin-1", "nul", "utf-16", "open", "deep", "number", "huge", "dots"],
)
def test_a_file_that_is_no_toml_is_refused_with_its_line(
    tmp_path: Path, body: bytes, line: int | None, said: str
) -> None:
    path = tmp_path / "x.toml"
    path.write_bytes(body)
    with pytest.raises(ConfigError) as caught:
        read(path)
    assert (caught.value.path, caught.value.line) == (path, line)
    assert said in caught.value.what


def test_a_folder_and_a_pipe_are_refused_and_nothing_hangs(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path, tmp_path / "pipe"):
        with pytest.raises(ConfigError, match="is not a file"):
            read(path)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_an_unreadable_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.toml"
    path.touch(mode=0)
    with pytest.raises(ConfigError, match="cannot be read"):
        read(path)


def test_a_file_whose_folder_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match="cannot be read"):
        read(tmp_path / "file" / "x.toml")


def test_a_key_is_shown_as_it_is_typed_and_cannot_steer_a_terminal() -> None:
    assert dotted(("forge", "git.example.org", "api")) == 'forge."git.example.org".api'
    assert dotted(("deploy", 0, "na\x1bme")) == r'deploy[0]."na\x1bme"'


def test_dev_null_is_an_empty_file() -> None:
    assert read(Path(os.devnull)).data == {}


def test_a_byte_order_mark_is_no_syntax_error(tmp_path: Path) -> None:
    path = tmp_path / "x.toml"
    path.write_bytes(b"\xef\xbb\xbfa = 1\n")
    assert read(path).data == {"a": 1}
    assert read(path).line(("a",)) == 1


def test_the_slowest_file_that_passes_is_read_at_once(tmp_path: Path) -> None:
    """Bounded by size and dots: an hour's worth of quadratic keys does not fit."""
    path = tmp_path / "x.toml"
    lines = [f"[b{number}." + ".".join("a" * MOST_DOTS) + "]" for number in range(60)]
    path.write_text("\n".join(lines))
    began = time.process_time()
    read(path)
    assert time.process_time() - began < 5
