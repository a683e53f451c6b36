"""``ci lint``: the repository's CI files against the schema their kind publishes. Layer: ci use case.

Neither Woodpecker nor Forgejo nor Gitea has a call that checks a file, so the published schema is
fetched once a week; ``--schema`` takes a file instead. jsonschema and PyYAML load here alone.
"""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from homelab.console.clean import clean
from homelab.errors import NothingThere, UsageError
from homelab.outcome import Outcome
from homelab.result import Result

#: Where the files of a kind lie, and what their kind is called.
PLACES = (
    ("woodpecker", ".woodpecker.yaml"),
    ("woodpecker", ".woodpecker.yml"),
    ("woodpecker", ".woodpecker"),
    ("actions", ".forgejo/workflows"),
    ("actions", ".gitea/workflows"),
    ("actions", ".github/workflows"),
)
MESSAGE = 200


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong in a file. ``line`` counts from 1; ``where`` is the place in it: ``steps.0.image``."""

    file: str
    line: int
    where: str
    message: str

    def sentence(self) -> str:
        """Say it as editors and terminals find their way: ``file:line: where: message``."""
        return f"{self.file}:{self.line}: {self.where + ': ' if self.where else ''}{self.message}"


@dataclass(frozen=True, slots=True)
class LintResult(Result):
    """What was checked, and what is wrong."""

    files: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()

    def lines(self) -> list[str]:
        """Return a line a problem."""
        return [problem.sentence() for problem in self.problems]

    def record(self) -> dict[str, Any]:
        """Return files and problems."""
        return {"files": list(self.files), "problems": [asdict(problem) for problem in self.problems]}


def found(root: Path) -> list[tuple[str, Path]]:
    """Return the CI files of the working tree with their kinds. Raises NothingThere for none."""
    files: list[tuple[str, Path]] = []
    for kind, place in PLACES:
        path = root / place
        inside = sorted(path.iterdir()) if path.is_dir() else [path]
        files += [(kind, one) for one in inside if one.is_file() and one.suffix in {".yml", ".yaml"}]
    if not files:
        raise NothingThere(
            f"no CI file in {root}",
            why="looked for " + ", ".join(place for _, place in PLACES),
            fix="homelab ci lint FILE",
        )
    return files


def named(paths: Sequence[Path]) -> list[tuple[str, Path]]:
    """Return files that were named, each with the kind its folder tells: workflows are Actions'."""
    return [("actions" if path.resolve().parent.name == "workflows" else "woodpecker", path) for path in paths]


def lint(files: Sequence[tuple[str, Path]], schemas: dict[str, Any], *, root: Path) -> LintResult:
    """Check each file against the schema of its kind; red when any has a problem."""
    shown = [str(path.relative_to(root)) if path.is_relative_to(root) else str(path) for _, path in files]
    problems = [
        problem
        for (kind, path), name in zip(files, shown, strict=True)
        for problem in _problems(name, path.read_text(errors="replace"), schemas[kind])
    ]
    outcome = Outcome.RED if problems else Outcome.DONE
    counted = f"{len(problems)} problems in" if problems else "no problem in"
    return LintResult(outcome, f"{counted} {', '.join(shown)}", tuple(shown), tuple(problems))


def _problems(name: str, text: str, schema: Any) -> Iterator[Problem]:
    yaml = _library("yaml", "PyYAML")
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        value = yaml.load(text, Loader=_loader(yaml)) if node is not None else None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        said = clean(str(getattr(error, "problem", None) or error))
        yield Problem(name, mark.line + 1 if mark else 1, "", f"not YAML: {said}")
        return
    jsonschema = _library("jsonschema", "jsonschema")
    validator = jsonschema.validators.validator_for(schema)(schema)
    for wrong in sorted(validator.iter_errors(value), key=lambda one: list(map(str, one.absolute_path))):
        # Of an alternative's failures the deepest one is what its author got wrong.
        best = jsonschema.exceptions.best_match([wrong]) or wrong
        path = list(best.absolute_path)
        yield Problem(name, _line(node, path), ".".join(map(str, path)), clean(best.message)[:MESSAGE])


def _loader(yaml: Any) -> Any:
    """YAML 1.2 as the servers read it: ``on`` is a word, dates are text."""

    class Loader(yaml.SafeLoader):  # type: ignore[misc]
        pass

    dropped = {"tag:yaml.org,2002:bool", "tag:yaml.org,2002:timestamp"}
    Loader.yaml_implicit_resolvers = {
        first: [
            (tag, pattern) for tag, pattern in kept if tag not in dropped or (tag.endswith("bool") and first in "tTfF")
        ]
        for first, kept in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }
    return Loader


def _line(node: Any, path: Sequence[str | int]) -> int:
    """Return the line of the place in the file, or of the nearest place around it."""
    line: int = node.start_mark.line + 1 if node is not None else 1
    for part in path:
        children = getattr(node, "value", None)
        if not isinstance(children, list):
            break
        if isinstance(part, int):
            node = children[part] if part < len(children) else None
        else:
            node = next((value for key, value in children if getattr(key, "value", None) == part), None)
        if node is None:
            break
        line = node.start_mark.line + 1
    return line


def _library(module: str, package: str) -> Any:
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise UsageError(
            f"ci lint needs {package}, which is not installed here",
            why=f"not found beside {sys.executable}",
            fix=f"{sys.executable} -m pip install {package}",
        ) from error


def read_schema(path: Path) -> Any:
    """Read a schema from a file. Raises UsageError."""
    try:
        return json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise UsageError(
            f"{path} is no schema", why="it cannot be read as JSON", fix="homelab ci lint --schema FILE.json"
        ) from error
