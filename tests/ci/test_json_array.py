from __future__ import annotations

import itertools
import json

import pytest

from homelab.ci.json_array import elements


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_elements_come_out_whole_whatever_the_pieces(size: int) -> None:
    wanted = [{"line": n, "data": "é]},{" * n, "deep": {"x": [1, None]}} for n in range(20)]
    text = json.dumps(wanted, ensure_ascii=False, indent=1).encode()

    assert list(elements(text[start : start + size] for start in range(0, len(text), size))) == wanted


@pytest.mark.parametrize("text", [b"null", b" [] ", b"\nnull\n"])
def test_nothing_is_no_elements(text: bytes) -> None:
    assert list(elements([text[:2], text[2:]])) == []


@pytest.mark.parametrize("text", [b'[{"a":1},{"b"', b'{"a":1}', b"<html>", b'[{"a":1}', b"", b" "])
def test_a_cut_or_foreign_body_is_an_error(text: bytes) -> None:
    with pytest.raises(ValueError, match="array"):
        list(elements([text]))


def test_an_element_that_does_not_end_is_not_collected_for_ever() -> None:
    endless = itertools.chain([b'[{"data":"'], itertools.repeat(b"x" * 100_000))

    with pytest.raises(ValueError, match="does not end"):
        list(elements(endless))
