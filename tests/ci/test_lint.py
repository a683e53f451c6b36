from __future__ import annotations

from pathlib import Path

import pytest

from homelab.ci.lint import Problem, found, lint, named
from homelab.ci.schema import Schema, read_schema
from homelab.errors import NothingThere, UsageError
from homelab.outcome import Outcome

pytest.importorskip("jsonschema")

SCHEMA = {
    "$schema": "http://json-schema.org/draft-07/schema#",
    "type": "object",
    "required": ["steps"],
    "properties": {
        "on": {"type": "string"},
        "steps": {"type": "array", "items": {"type": "object", "properties": {"image": {"type": "string"}}}},
    },
    "additionalProperties": False,
}


def check(folder: Path, text: str, schema: object = SCHEMA) -> tuple[Outcome, tuple[Problem, ...]]:
    file = folder / ".woodpecker.yaml"
    file.write_text(text)
    result = lint(found(folder), {"woodpecker": Schema(schema, "a test")}, root=folder)
    return result.outcome, result.problems


def test_a_good_file_has_no_problem(tmp_path: Path) -> None:
    assert check(tmp_path, "steps:\n  - image: bash\n") == (Outcome.DONE, ())


def test_a_problem_names_line_and_place(tmp_path: Path) -> None:
    outcome, (problem,) = check(tmp_path, "steps:\n  - image: bash\n  - name: two\n    image: [1]\n")

    assert outcome is Outcome.RED
    assert problem.sentence() == ".woodpecker.yaml:4: steps.1.image: [1] is not of type 'string'"


def test_what_is_not_yaml_names_the_line(tmp_path: Path) -> None:
    _, (problem,) = check(tmp_path, "steps:\n  - image: 'open\n")

    assert problem.message.startswith("not YAML")


def test_on_is_a_word_as_the_servers_read_it(tmp_path: Path) -> None:
    assert check(tmp_path, "on: yes\nsteps: []\n") == (Outcome.DONE, ())


def test_an_empty_file_is_a_problem(tmp_path: Path) -> None:
    assert check(tmp_path, "")[0] is Outcome.RED


def test_no_file_is_said_with_the_places_looked_in(tmp_path: Path) -> None:
    with pytest.raises(NothingThere, match="no CI file") as caught:
        found(tmp_path)
    assert ".woodpecker.yaml" in caught.value.why


def test_a_file_in_a_workflows_folder_is_actions(tmp_path: Path) -> None:
    assert named([tmp_path / "workflows" / "ci.yml", tmp_path / "x.yaml"])[0][0] == "actions"
    assert named([tmp_path / "x.yaml"])[0][0] == "woodpecker"


def test_a_schema_that_cannot_be_read_is_a_usage_error(tmp_path: Path) -> None:
    (tmp_path / "schema.json").write_text("{")
    with pytest.raises(UsageError):
        read_schema(tmp_path / "schema.json")


def test_a_file_that_holds_itself_is_a_problem_and_no_crash(tmp_path: Path) -> None:
    endless = {**SCHEMA, "properties": {"steps": {"$ref": "#/$defs/x"}}}
    endless["$defs"] = {"x": {"type": "array", "items": {"$ref": "#/$defs/x"}}}

    _, problems = check(tmp_path, "steps: &a\n  - *a\n", endless)

    assert problems == (Problem(".woodpecker.yaml", 1, "", "it holds itself: an alias inside its own anchor"),)


@pytest.mark.parametrize(
    ("schema", "said"),
    [
        ([], "a test is no schema"),
        ({"type": 3}, "a test is no schema"),
        ({"$ref": "https://schemas.example.org/other.json"}, "the schema needs another one"),
    ],
)
def test_a_schema_that_is_none_is_a_usage_error_and_nothing_is_fetched(
    tmp_path: Path, schema: object, said: str
) -> None:
    with pytest.raises(UsageError, match=said):
        check(tmp_path, "steps: []\n", schema)


def test_a_file_that_cannot_be_read_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        lint([("woodpecker", tmp_path / "gone.yaml")], {"woodpecker": Schema(SCHEMA, "a test")}, root=tmp_path)


def test_the_answer_says_what_it_was_checked_against_and_how_old_that_is(tmp_path: Path) -> None:
    (tmp_path / ".woodpecker.yaml").write_text("steps: []\n")
    schema = Schema(SCHEMA, "https://schemas.example.org/x.json", age=7200)

    result = lint(found(tmp_path), {"woodpecker": schema}, root=tmp_path)

    assert result.lines() == ["checked against https://schemas.example.org/x.json, fetched 2h00m ago"]


def test_a_file_of_nested_aliases_is_a_problem_and_no_hang(tmp_path: Path) -> None:
    lines = ["a0: &a0 [x, x]"] + [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 10)]

    _, problems = check(tmp_path, "\n".join([*lines, "steps: *a9", ""]))

    assert [problem.message for problem in problems] == ["its aliases make more than 100000 values of it"]
