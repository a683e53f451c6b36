from __future__ import annotations

from pathlib import Path
from threading import Thread

from homelab.ci.memory import FileKeeper, Memory
from homelab.ci.model import Pipeline, State
from tests.ci.fakes import pipeline, step, workflow


def test_what_was_told_survives_until_the_verdict(tmp_path: Path) -> None:
    run = pipeline(workflows=(workflow("build", State.FAILURE, step("test", State.FAILURE, 3)),), errors=("bad",))
    keeper = FileKeeper(tmp_path / "ci", "question")
    keeper.keep(Memory(90.0, {run.key: run}, {"moved x"}), 100.0)

    assert FileKeeper(tmp_path / "ci", "question").load(160.0) == Memory(90.0, {run.key: run}, {"moved x"})
    keeper.forget()
    assert keeper.load(160.0) == Memory()


def test_another_question_or_a_later_one_is_not_remembered(tmp_path: Path) -> None:
    keeper = FileKeeper(tmp_path, "question")
    keeper.keep(Memory(90.0), 100.0)

    assert FileKeeper(tmp_path, "another").load(160.0) == Memory()
    assert keeper.load(100.0 + 3600) == Memory()


def test_a_clock_that_was_set_back_is_no_memory(tmp_path: Path) -> None:
    keeper = FileKeeper(tmp_path, "question")
    keeper.keep(Memory(90.0), 100.0)

    assert keeper.load(40.0) == Memory()


def test_two_watches_of_one_question_leave_one_whole_file(tmp_path: Path) -> None:
    runs = [pipeline(number, title="x" * 20_000) for number in range(1, 9)]
    keepers = [FileKeeper(tmp_path / "ci", "question") for _ in runs]

    def keep(keeper: FileKeeper, run: Pipeline) -> None:
        for _ in range(9):
            keeper.keep(Memory(1.0, {run.key: run}), 100.0)

    threads = [Thread(target=keep, args=pair) for pair in zip(keepers, runs, strict=True)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(keepers[0].load(101.0).runs) == 1
    assert len(list((tmp_path / "ci").iterdir())) == 1


def test_a_broken_file_is_no_memory(tmp_path: Path) -> None:
    keeper = FileKeeper(tmp_path / "ci", "question")
    keeper.keep(Memory(90.0), 100.0)
    (file,) = (tmp_path / "ci").iterdir()
    for text in ("{", "[]", '{"kept":100,"watched":1,"runs":[{}],"said":[]}'):
        file.write_text(text)
        assert keeper.load(101.0) == Memory()
