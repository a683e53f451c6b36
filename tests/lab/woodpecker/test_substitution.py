from __future__ import annotations

import pytest

from homelab.lab.woodpecker.substitution import substitute

VALUES = {"SHA": "0123456789abcdef", "REF": "refs/tags/v1.2.3", "LINES": "a\nb", "EMPTY": ""}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("${SHA}", "0123456789abcdef"),
        ("tag-${SHA:0:8}", "tag-01234567"),
        ("${SHA:12}", "cdef"),
        ("${MISSING}", ""),
        ("${MISSING:-main}", "main"),
        ("${EMPTY=main}", "main"),
        ("${SHA:-main}", "0123456789abcdef"),
        ("${REF#refs/tags/}", "v1.2.3"),
        ("${REF##*/}", "v1.2.3"),
        ("${REF%.*}", "refs/tags/v1.2"),
        ("${REF%%.*}", "refs/tags/v1"),
        ("${REF^^}", "REFS/TAGS/V1.2.3"),
        ("${REF/tags/heads}", "refs/heads/v1.2.3"),
        ("${REF//./-}", "refs/tags/v1-2-3"),
        ("$${SHA}", "${SHA}"),
        ("$SHA", "$SHA"),
        ("$$", "$$"),
        ("${LINES}", '"a\nb"'),
    ],
)
def test_a_form_is_replaced_as_upstream_does(text: str, expected: str) -> None:
    assert expected == substitute(text, VALUES)
