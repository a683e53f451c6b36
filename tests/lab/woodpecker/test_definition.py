from __future__ import annotations

import random

import pytest

from homelab.lab.woodpecker.definition import ConfigRefused, matrix_axes, parse


def refusal(text: str) -> list[tuple[str, str]]:
    with pytest.raises(ConfigRefused) as refused:
        parse(text, "ci")
    return [(one.field, one.message) for one in refused.value.complaints if not one.is_warning]


STEP = "{image: bash, commands: [make]}"


def test_steps_may_be_a_list_or_a_mapping() -> None:
    by_list = parse("steps: [{name: a, image: bash, commands: [make]}, {image: bash, commands: make}]", "ci")
    by_map = parse(f"steps: {{a: {STEP}, b: {STEP}}}", "ci")
    assert [step.name for step in by_list.steps] == ["a", "step-2"]
    assert [step.name for step in by_map.steps] == ["a", "b"]
    assert by_list.steps[1].commands == ("make",)


def test_on_and_off_are_words_not_booleans() -> None:
    read = parse("steps: {a: {image: bash, commands: [yes, on], environment: {A: off, B: true}}}", "ci")
    assert read.steps[0].commands == ("yes", "on")
    assert read.steps[0].environment == {"A": "off", "B": True}


def test_a_step_without_commands_is_a_plugin() -> None:
    read = parse("steps: {a: {image: registry/plugin, settings: {tag: x}}}", "ci")
    assert read.steps[0].type == "plugin"


def test_a_clone_step_stands_by_itself_unless_skipped() -> None:
    assert parse(f"steps: {{a: {STEP}}}", "ci").clone is not None
    assert parse(f"skip_clone: true\nsteps: {{a: {STEP}}}", "ci").clone is None


def test_services_are_detached() -> None:
    read = parse(f"services: {{db: {STEP}}}\nsteps: {{a: {STEP}}}", "ci")
    assert (read.services[0].type, read.services[0].detach) == ("service", True)


def test_environment_may_be_a_list_of_pairs() -> None:
    assert parse("steps: {a: {image: x, commands: [y], environment: [A=1, B=2=3]}}", "ci").steps[0].environment == {
        "A": "1",
        "B": "2=3",
    }


def step(extra: str) -> str:
    return f"steps: {{a: {{image: x, commands: [x], {extra}}}}}"


@pytest.mark.parametrize(
    ("text", "field", "message"),
    [
        ("steps: []", "steps", "Invalid or missing `steps` section"),
        ("just text", "steps", "Invalid or missing `steps` section"),
        ("steps: 3", "steps", "`steps` must be a list or a mapping of steps"),
        ("steps: {a: {commands: [x]}}", "steps.a", "Invalid or missing image"),
        (step("settings: {a: b}"), "steps.a", "Cannot configure both `commands` and `settings`"),
        (step("depends_on: [b]"), "steps.a.depends_on", "One or more of the specified dependencies do not exist"),
        (step("failure: shrug"), "steps.a.failure", "`failure` must be one of fail, ignore, cancel"),
        (step("when: {evaluate: x}"), "steps.a", "invalid `when`: evaluate is not supported by this server"),
        (step("secrets: [y]"), "steps.a", "Use `environment` with `from_secret` instead of `secrets`"),
    ],
)
def test_a_file_that_cannot_run_says_where_and_why(text: str, field: str, message: str) -> None:
    assert (field, message) in refusal(text)


def test_every_complaint_is_collected() -> None:
    assert len(refusal("steps: {a: {commands: [x]}, b: {commands: [x], depends_on: [c]}}")) == 3


def test_text_that_is_not_yaml_is_a_compiler_error() -> None:
    with pytest.raises(ConfigRefused) as refused:
        parse("steps: [", "ci")
    assert [one.type for one in refused.value.complaints] == ["compiler"]


def test_an_unknown_key_and_runs_on_are_warnings_only() -> None:
    read = parse(f"pipeline: 1\nruns_on: [failure]\nwhen: {{event: push}}\nsteps: {{a: {STEP}}}", "ci")
    assert [(one.type, one.field, one.is_warning) for one in read.warnings] == [
        ("linter", "pipeline", True),
        ("deprecation", "ci.runs_on", True),
    ]


@pytest.mark.parametrize(
    ("when", "of_step", "fields"),
    [
        ("{event: push}", "{}", []),
        ("{branch: main}", "{event: push}", []),
        ("{branch: main}", "{branch: main}", ["steps.a.when[0]"]),
        ("[{event: push}, {branch: main}]", "[{event: tag}, {branch: x}]", ["steps.a.when[1]"]),
        ("{}", "{}", ["steps.a"]),
    ],
)
def test_a_step_open_to_every_event_is_a_bad_habit(when: str, of_step: str, fields: list[str]) -> None:
    read = parse(f"when: {when}\nsteps: {{a: {{image: x, commands: [x], when: {of_step}}}}}", "ci")
    assert fields == [one.field for one in read.warnings if one.type == "bad_habit"]
    assert all(one.is_warning and one.docs.endswith("#event-filter-for-all-steps") for one in read.warnings)


def test_a_matrix_gives_every_combination_or_the_listed_cells() -> None:
    assert matrix_axes("matrix: {GO: [1.20, '1.21'], DB: [pg]}") == [
        {"GO": "1.2", "DB": "pg"},
        {"GO": "1.21", "DB": "pg"},
    ]
    assert matrix_axes("matrix: {include: [{A: 1}, {A: 2, B: x}]}") == [{"A": "1"}, {"A": "2", "B": "x"}]
    assert matrix_axes("steps: {}") == [{}]


def test_no_shape_of_yaml_raises_anything_but_a_refusal() -> None:
    seed = random.randrange(1 << 32)
    dice = random.Random(seed)
    words = ["steps", "services", "clone", "when", "matrix", "labels", "image", "commands", "environment", "event"]
    words += ["path", "include", "depends_on", "settings", "branch", "runs_on", "skip_clone", "failure", "name"]

    def value(depth: int) -> str:
        kind = dice.randrange(6 if depth else 4)
        if kind < 4:
            return dice.choice(["x", "1", "null", "true", "''", "[a, b]", "{from_secret: a}"])
        inner = [value(depth - 1) for _ in range(dice.randrange(4))]
        if kind == 4:
            return f"[{', '.join(inner)}]"
        return (
            "{"
            + ", ".join(f"{key}: {one}" for key, one in zip(dice.sample(words, len(inner)), inner, strict=True))
            + "}"
        )

    for _ in range(1500):
        text = "\n".join(f"{key}: {value(4)}" for key in dice.sample(words, dice.randrange(1, 5)))
        try:
            matrix_axes(text)
            parse(text, "ci")
        except ConfigRefused:
            pass
        except Exception as error:
            raise AssertionError(f"seed {seed}: {error!r} for:\n{text}") from error
