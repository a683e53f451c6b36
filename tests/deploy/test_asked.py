"""The words after ``deploy wait`` as targets and a request: what is meant, and what cannot be."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from homelab.deploy.ancestry import newer_than
from homelab.deploy.asked import Asked, request, target_of, targets
from homelab.deploy.connect import _by_context
from homelab.deploy.terms import Patience
from homelab.errors import UsageError
from homelab.git.port import Commit, Remote
from homelab.settings.model import DeployTarget, RepositorySettings, Settings, Timeouts
from tests.deploy.objects import FULL, NEWER, OTHER, image


class FakeRepository:
    """A history of three commits: OTHER is older than FULL, FULL is in NEWER."""

    root = git_dir = common_dir = Path("/nowhere")
    order: tuple[str, ...] = (OTHER, FULL, NEWER)

    def resolve(self, rev: str) -> str:
        if rev == "HEAD":
            return FULL
        for oid in self.order:
            if oid.startswith(rev):
                return oid
        raise UsageError(f"{rev}: no such commit", why="not here", fix="git fetch")

    def contains(self, descendant: str, ancestor: str) -> bool | None:
        return self.order.index(ancestor) <= self.order.index(descendant)

    def remotes(self) -> Sequence[Remote]:
        return ()

    def remote(self, wanted: str | None = None) -> Remote:
        raise NotImplementedError

    def branch(self) -> str | None:
        return None

    def commit(self, oid: str) -> Commit:
        raise NotImplementedError

    def has_path(self, oid: str, path: str) -> bool:
        return False

    def text(self, oid: str, path: str) -> str | None:
        return None

    def target(self, remote: str) -> str | None:
        return None

    def config(self, key: str) -> str | None:
        return None


SETTINGS = Settings(
    user_file=Path("/nowhere"),
    repository=RepositorySettings(image="reg.example/t/app", deploy=(DeployTarget("t", "web"),)),
    timeouts=Timeouts(deploy=100.0, deploy_reference=50.0, stable_for=5.0),
)


def ask(**words: Any) -> Any:
    return request(Asked(**words), SETTINGS, repository=FakeRepository, namespace=lambda: "here")


def unreachable() -> str:
    raise AssertionError("no cluster is asked for a namespace that was typed")


@pytest.mark.parametrize(
    ("text", "namespace", "expected"),
    [
        ("shop/web", None, DeployTarget("shop", "web")),
        ("shop/statefulset/db", None, DeployTarget("shop", "db", "statefulset")),
        ("shop/sts/db", "shop", DeployTarget("shop", "db", "statefulset")),
        ("deployment/web", "shop", DeployTarget("shop", "web")),
        ("web", "deploy", DeployTarget("deploy", "web")),
        ("argocd/application/shop", None, DeployTarget("argocd", "shop", "application")),
    ],
)
def test_a_target_is_typed_as_people_type_it(text: str, namespace: str | None, expected: DeployTarget) -> None:
    assert expected == target_of(text, namespace, unreachable)


def test_a_bare_name_is_in_the_contexts_own_namespace() -> None:
    assert target_of("web", None, lambda: "here") == DeployTarget("here", "web")


@pytest.mark.parametrize(
    ("text", "namespace"),
    [
        ("deployment/web", None),
        ("", None),
        ("/web", None),
        ("a/b/c/d", None),
        ("shop/pod/x", None),
        ("x/y/z", "other"),
        ("pod/x", "shop"),
    ],
)
def test_what_cannot_be_meant_is_a_usage_error(text: str, namespace: str | None) -> None:
    with pytest.raises(UsageError) as raised:
        target_of(text, namespace, lambda: "here")
    assert raised.value.fix


def test_without_targets_it_is_the_repositorys_with_the_repositorys_image() -> None:
    assert ask().targets == (DeployTarget("t", "web", image="reg.example/t/app"),)


def test_a_typed_target_that_the_repository_knows_keeps_its_image() -> None:
    assert ask(targets=("t/web", "t/web", "t/other")).targets == (
        DeployTarget("t", "web", image="reg.example/t/app"),
        DeployTarget("t", "other"),
    )


def test_no_target_anywhere_says_how_to_name_one() -> None:
    with pytest.raises(UsageError, match="no deploy target"):
        targets((), Settings(user_file=Path("/nowhere")), None, unreachable)


def test_the_commit_is_head_a_revision_or_a_full_id_unseen() -> None:
    assert ask().wanted.oid == FULL
    assert ask(sha=OTHER[:9]).wanted.oid == OTHER
    assert ask(sha="E" * 40).wanted.oid == "e" * 40


@pytest.mark.parametrize(
    "words",
    [
        {"sha": "abc12"},
        {"sha": "nothing"},
        {"sha": FULL, "image": "app:1"},
        {"image": "app"},
        {"digest": "sha256:abc"},
        {"match": "["},
        {"patient": True, "fail_fast": True},
        {"targets": ("t/web",), "run": True},
    ],
    ids=" ".join,
)
def test_contradictions_are_refused_before_anything_is_asked(words: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        ask(**words)


def test_flags_come_before_settings() -> None:
    plain, flagged = ask(), ask(timeout=1.0, reference_timeout=2.0, stable_for=0.0, fail_fast=True)
    assert (plain.timeout, plain.reference_timeout, plain.stable_for) == (100.0, 50.0, 5.0)
    assert (flagged.timeout, flagged.reference_timeout, flagged.stable_for) == (1.0, 2.0, 0.0)
    assert flagged.patience is Patience.NONE


def test_a_typed_timeout_is_the_deadline_of_the_whole_wait_and_of_the_reference_too() -> None:
    short = ask(timeout=3.0)
    assert (short.reference_timeout, short.overall, short.longest) == (3.0, True, 8.0)
    assert ask(timeout=80.0).reference_timeout == 50.0
    split = ask(timeout=3.0, reference_timeout=20.0)
    assert (split.reference_timeout, split.overall) == (20.0, False)


def test_without_a_typed_timeout_each_predicate_keeps_its_configured_budget() -> None:
    plain = ask(sha=FULL)
    assert (plain.reference_timeout, plain.timeout, plain.overall) == (50.0, 100.0, False)


def test_the_command_to_type_again_names_the_target_the_commit_and_what_was_typed() -> None:
    def again(*more: str, context: str | None = None, **words: Any) -> str:
        asked = request(Asked(**words), SETTINGS, repository=FakeRepository, namespace=lambda: "t", context=context)
        return asked.expectation(asked.targets[0]).again(*more)

    assert again("--newer-ok") == "homelab deploy wait t/web --sha 0123456789ab --newer-ok"
    assert again(sha=OTHER, timeout=9.0, patient=True) == f"homelab deploy wait t/web --sha {OTHER} --patient"
    assert again(targets=("t/sts/db",), context="lab") == "homelab deploy wait t/statefulset/db@lab --sha 0123456789ab"
    assert again("--container", "b", image="a:1", container="a", match="v {sha7}") == (
        "homelab deploy wait t/web --image a:1 --match 'v {sha7}' --container b"
    )


def test_a_live_commit_that_is_not_here_is_fetched_before_it_is_judged() -> None:
    class Clone(FakeRepository):
        order: tuple[str, ...] = (OTHER, FULL)

    def fetch() -> None:
        Clone.order = (OTHER, FULL, NEWER)

    assert not newer_than(FULL, Clone)(image(NEWER))
    assert newer_than(FULL, Clone, fetch)(image(NEWER))


def test_newer_means_that_the_repository_says_it_contains_ours() -> None:
    newer = newer_than(FULL, FakeRepository)
    assert newer(image(NEWER))
    assert not newer(image(FULL))
    assert not newer(image(OTHER))
    assert not newer("reg.example/t/app:1.2")
    assert not newer("reg.example/t/app:20261121")


def test_a_context_after_the_at_sign_is_that_targets_alone() -> None:
    assert _by_context(("t/web", "t/api@staging"), ("prod",)) == {"prod": ("t/web",), "staging": ("t/api",)}
    assert _by_context(("t/web@arn:aws:eks:x:cluster/a",), ()) == {"arn:aws:eks:x:cluster/a": ("t/web",)}
    assert _by_context((), ("a", "b")) == {"a": (), "b": ()}
    assert _by_context((), ()) == {None: ()}
