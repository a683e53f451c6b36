"""A secret never prints itself."""

from __future__ import annotations

import pickle

import pytest

from homelab.secret import Secret


@pytest.mark.parametrize("show", [repr, str, "{}".format, lambda s: f"{s!r:>20}", lambda s: repr([s, {"k": s}])])
def test_no_way_of_printing_shows_the_value(show: object) -> None:
    assert callable(show)
    assert "hunter2" not in show(Secret("hunter2"))


def test_it_refuses_to_be_written_to_a_file() -> None:
    with pytest.raises(TypeError):
        pickle.dumps(Secret("hunter2"))


def test_only_reveal_gives_it_out() -> None:
    assert Secret("hunter2").reveal() == "hunter2"
