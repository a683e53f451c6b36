"""The rules of the house that a linter does not know."""

from __future__ import annotations

import ast
import importlib
import inspect
import json
import pkgutil
import re
import runpy
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

import homelab
from homelab import errors
from homelab.cli import VERBS, cli
from homelab.outcome import Outcome
from homelab.verb import manifest

ROOT = Path(homelab.__file__).resolve().parent.parent
CARD = ("click", "httpx", "hvac", "git", "kubernetes", "tenacity", "rich")
HEAVY = ("httpx", "hvac", "git", "kubernetes", "tenacity", "rich", "aiohttp", "asyncio", "requests")


def modules() -> Iterator[tuple[Path, ast.Module]]:
    for path in sorted((ROOT / "homelab").rglob("*.py")):
        yield path.relative_to(ROOT), ast.parse(path.read_text(encoding="utf-8"))


def verbs() -> list[dict[str, object]]:
    return [json.loads(line) for line in manifest(cli.to_info_dict(click.Context(cli, info_name="homelab")))]


def heavy_after(*argv: str) -> set[str]:
    program = (
        "import sys, homelab.cli as c\n"
        f"try: c.cli.main({list(argv)!r}, prog_name='homelab')\n"
        "except SystemExit: pass\n"
        f"print('LOADED', *(m for m in {HEAVY!r} if m in sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT)
    return set(done.stdout.splitlines()[-1].split()[1:])


def test_help_loads_nothing_heavy() -> None:
    assert heavy_after("--help") == set()


@pytest.mark.parametrize("name", sorted(VERBS))
def test_the_help_of_a_domain_loads_nothing_heavy(name: str) -> None:
    assert heavy_after(name, "--help") == set()


def test_every_verb_has_a_summary_and_a_tier() -> None:
    assert [verb["name"] for verb in verbs() if not verb["summary"] or not verb["tier"]] == []


def test_every_option_of_every_verb_has_help() -> None:
    silent = [
        (verb["name"], param["name"])
        for verb in verbs()
        for param in verb["params"]  # type: ignore[attr-defined]
        if param["kind"] == "option" and not param["help"]
    ]
    assert silent == []


def test_readme_is_what_the_code_says() -> None:
    docs = runpy.run_path(str(ROOT / "docs" / "generate.py"), run_name="docs")
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert docs["generated"](readme) == readme
    assert docs["verbs"]() in readme
    assert docs["outcomes"]() in readme


def test_every_exit_code_has_one_word_and_one_meaning() -> None:
    assert len({outcome.word for outcome in Outcome}) == len(Outcome)
    assert all(outcome.meaning for outcome in Outcome)


def _all_errors() -> list[type[errors.HomelabError]]:
    for module in pkgutil.walk_packages(homelab.__path__, "homelab."):
        if ".lab" not in module.name and not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    found, waiting = [], [errors.HomelabError]
    while waiting:
        found.append(one := waiting.pop())
        waiting += one.__subclasses__()
    return found


def test_every_error_is_drawn_in_the_tree_and_is_not_a_library_s() -> None:
    tree = errors.__doc__ or ""
    for error in _all_errors():
        bases = {base.__module__.partition(".")[0] for base in inspect.getmro(error)}
        assert bases <= {"homelab", "builtins"}
        if error.__module__ == "homelab.errors":
            assert error.__name__ in tree


@pytest.mark.parametrize("package", CARD)
def test_every_package_of_the_card_is_imported_and_has_its_reason_in_an_adr(package: str) -> None:
    imported = [
        path
        for path, tree in modules()
        for node in ast.walk(tree)
        if (isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] == package and not node.level)
        or (isinstance(node, ast.Import) and any(alias.name.partition(".")[0] == package for alias in node.names))
    ]
    assert imported
    name = "GitPython" if package == "git" else package
    decided = [path for path in (ROOT / "docs" / "adr").glob("*.md") if name in path.read_text(encoding="utf-8")]
    assert decided


@pytest.mark.parametrize("package", ["pytest", "pytest_httpx"])
def test_the_test_packages_of_the_card_are_in_use(package: str) -> None:
    wanted = package if package == "pytest" else "httpx_mock"
    assert any(wanted in path.read_text(encoding="utf-8") for path in (ROOT / "tests" / "http").glob("test_*.py"))


#: Where the outside world enters: each is the one home of what the test below looks for.
_HOMES = {
    "time.sleep": {"homelab/clock.py"},
    "os.environ": {"homelab/world.py"},
    "sys.argv": {"homelab/cli.py"},
    "print": set(),
}


def _name(node: ast.AST) -> str:
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
        return f"{node.value.id}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else ""


def test_time_environment_argv_and_print_have_one_home() -> None:
    strays = [
        (str(path), node.lineno, name)
        for path, tree in modules()
        if path.parts[1] != "lab"
        for node in ast.walk(tree)
        if (name := _name(node)) in _HOMES and str(path) not in _HOMES[name]
    ]
    assert strays == []


def test_adrs_are_numbered_once_dated_and_at_most_sixty_lines() -> None:
    numbers = []
    for path in sorted((ROOT / "docs" / "adr").glob("*.md")):
        text = path.read_text(encoding="utf-8")
        numbers.append(path.name[:4])
        assert len(text.splitlines()) <= 60, path.name
        assert re.match(rf"# {int(path.name[:4])}\. ", text), path.name
        for heading in ("Date: 20", "## Context", "## Decision", "## Consequences", "## Confirmation"):
            assert heading in text, (path.name, heading)
    assert numbers == sorted(set(numbers))


def test_the_changelog_knows_this_version() -> None:
    assert f"## {homelab.__version__}" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_the_lock_and_the_sources_name_no_registry_host() -> None:
    hosts = re.compile(r"(pypi|pythonhosted|npmjs|crates)\.(org|io|com)")
    named = [
        path
        for path in [ROOT / "requirements-dev.lock", ROOT / "pyproject.toml", ROOT / "dev", ROOT / "README.md"]
        if hosts.search(path.read_text(encoding="utf-8"))
    ]
    assert named == []


def test_every_layer_violation_is_found() -> None:
    lint = "from importlinter.cli import lint_imports_command; lint_imports_command()"
    done = subprocess.run([sys.executable, "-c", lint], capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == 0, done.stdout


def test_the_lock_covers_every_declared_dependency() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    declared = project["project"]["dependencies"] + project["project"]["optional-dependencies"]["lab"]
    declared += project["dependency-groups"]["dev"]
    lock = (ROOT / "requirements-dev.lock").read_text(encoding="utf-8").lower()
    names = [re.split(r"[<>=!~\[; ]", text)[0].lower() for text in declared]
    assert [name for name in names if f"\n{name}==" not in "\n" + lock] == []
