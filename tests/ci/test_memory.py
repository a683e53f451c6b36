from __future__ import annotations

from pathlib import Path

from homelab.ci.memory import FileKeeper, Memory
from homelab.ci.model import State
from tests.ci.fakes import pipeline, step, workflow


def test_what_was_told_survives_until_the_verdict(tmp_path: Path) -> None:
    run = pipeline(workflows=(workflow("build", State.FAILURE, step("test", State.FAILURE, 3)),), errors=("bad",))
    keeper = FileKeeper(tmp_path / "ci", "question")
    keeper.keep(Memory(90.0, {run.key: run}, {"moved x"}), 100.0)

    assert FileKeeper(tmp_path / "ci", "question").load(160.0) == Memory(90.0, {run.key: run}, {"moved x"})
    keeper.forget()
    assert keeper.load(160.0) == Memory(160.0)


def test_another_question_or_a_later_one_is_not_remembered(tmp_path: Path) -> None:
    keeper = FileKeeper(tmp_path, "question")
    keeper.keep(Memory(90.0), 100.0)

    assert FileKeeper(tmp_path, "another").load(160.0).began == 160.0
    assert keeper.load(100.0 + 3600).began == 100.0 + 3600


def test_a_broken_file_is_no_memory(tmp_path: Path) -> None:
    keeper = FileKeeper(tmp_path / "ci", "question")
    keeper.keep(Memory(90.0), 100.0)
    (file,) = (tmp_path / "ci").iterdir()
    for text in ("{", "[]", '{"kept":100,"began":1,"runs":[{}],"said":[]}'):
        file.write_text(text)
        assert keeper.load(101.0) == Memory(101.0)
