"""``ci lint``: the repository's CI files against the schema their kind publishes. Layer: ci use case.

Neither Woodpecker nor Forgejo nor Gitea has a call that checks a file, so it is checked here.
jsonschema and PyYAML load here alone.
"""

from __future__ import annotations

import importlib
import shlex
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from homelab.ci.schema import Schema
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
#: A file of nested aliases grows tenfold a line; a checker would walk all of it.
MOST_VALUES = 100_000


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
    #: What they were checked against.
    against: tuple[str, ...] = ()

    def lines(self) -> list[str]:
        """Return a line a problem, and where the rules are from."""
        return [problem.sentence() for problem in self.problems] + [f"checked against {one}" for one in self.against]

    def record(self) -> dict[str, Any]:
        """Return files, problems and the schemas."""
        problems = [asdict(problem) for problem in self.problems]
        return {"files": list(self.files), "problems": problems, "against": list(self.against)}


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


def lint(files: Sequence[tuple[str, Path]], schemas: Mapping[str, Schema], *, root: Path) -> LintResult:
    """Check each file against the schema of its kind; red when any has a problem.

    Raises UsageError for a schema that is none, and for a file that cannot be read.
    """
    checkers = {kind: _checker(schema) for kind, schema in schemas.items()}
    shown = [str(path.relative_to(root)) if path.is_relative_to(root) else str(path) for _, path in files]
    problems = tuple(
        problem
        for (kind, path), name in zip(files, shown, strict=True)
        for problem in _problems(name, _text(path), checkers[kind])
    )
    against = tuple(dict.fromkeys(schemas[kind].said for kind, _ in files))
    counted = f"{len(problems)} problem{'' if len(problems) == 1 else 's'} in" if problems else "no problem in"
    outcome = Outcome.RED if problems else Outcome.DONE
    return LintResult(outcome, f"{counted} {', '.join(shown)}", tuple(shown), problems, against)


def _text(path: Path) -> str:
    try:
        return path.read_text(errors="replace")
    except OSError as error:
        raise UsageError(
            f"{path} cannot be read", why=error.strerror or str(error), fix=f"ls -l {shlex.quote(str(path))}"
        ) from error


def _checker(schema: Schema) -> Any:
    """Return what checks values. It fetches nothing by itself: a schema comes whole or not at all."""
    jsonschema = _library("jsonschema", "jsonschema")
    referencing = importlib.import_module("referencing")
    try:
        kind = jsonschema.validators.validator_for(schema.value)
        kind.check_schema(schema.value)
        return kind(schema.value, registry=referencing.Registry())
    except (jsonschema.exceptions.SchemaError, TypeError, AttributeError) as error:
        raise _no_schema(schema, getattr(error, "message", "") or "its top is no object") from error


def _no_schema(schema: Schema, why: str) -> UsageError:
    return UsageError(
        f"{schema.source} is no schema", why=clean(why)[:MESSAGE], fix="homelab ci lint --schema FILE.json"
    )


def _problems(name: str, text: str, checker: Any) -> Iterator[Problem]:
    yaml = _library("yaml", "PyYAML")
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        if _values(node, {}) > MOST_VALUES:
            yield Problem(name, 1, "", f"its aliases make more than {MOST_VALUES} values of it")
            return
        value = yaml.load(text, Loader=_loader(yaml)) if node is not None else None
        found = list(checker.iter_errors(value))
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        said = clean(str(getattr(error, "problem", None) or error))
        yield Problem(name, mark.line + 1 if mark else 1, "", f"not YAML: {said}")
        return
    except RecursionError:
        yield Problem(name, 1, "", "it holds itself: an alias inside its own anchor")
        return
    except importlib.import_module("referencing").exceptions.Unresolvable as error:
        said = "the schema needs another one"
        raise UsageError(said, why=clean(str(error))[:MESSAGE], fix="homelab ci lint --schema FILE.json") from error
    best_match = _library("jsonschema", "jsonschema").exceptions.best_match
    for wrong in sorted(found, key=lambda one: list(map(str, one.absolute_path))):
        # Of an alternative's failures the deepest one is what its author got wrong.
        best = best_match([wrong]) or wrong
        path = list(best.absolute_path)
        yield Problem(name, _line(node, path), ".".join(map(str, path)), clean(best.message)[:MESSAGE])


def _values(node: Any, known: dict[int, int]) -> int:
    """Return how many values a YAML node stands for once each alias is replaced by what it names."""
    if id(node) not in known:
        known[id(node)] = 0  # one that holds itself is found by who walks it
        children = getattr(node, "value", None)
        inside = children if isinstance(children, list) else []
        parts = [part for child in inside for part in (child if isinstance(child, tuple) else (child,))]
        known[id(node)] = 1 + sum(_values(part, known) for part in parts)
    return known[id(node)]


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
