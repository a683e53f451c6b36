from __future__ import annotations

import pytest

from homelab.errors import UsageError
from homelab.git.child import Ended
from homelab.git.remote_end import RemoteEnd, pre_push_hook
from homelab.git.runner import Git


class Told(Git):
    """git that notes the argument lists it is given."""

    def run(self, *arguments: str, **words) -> Ended:
        self.asked = [*getattr(self, "asked", []), arguments]
        return super().run(*arguments, **words)


@pytest.fixture
def told(git: Git) -> Told:
    git.text("init", "-q", "--bare", str(git.root / "remote.git"))
    git.text("remote", "add", "origin", str(git.root / "remote.git"))
    git.text("push", "-q", "origin", "main")
    return Told(git.root, env=git.env)


def test_a_branch_an_absent_branch_and_a_silent_server_are_three_answers(told: Told):
    end = RemoteEnd(told, "origin")
    assert (end.tip("refs/heads/main").reached, end.tip("refs/heads/main").oid) == (
        True,
        told.text("rev-parse", "HEAD"),
    )
    assert (end.tip("refs/heads/nope").reached, end.tip("refs/heads/nope").oid) == (True, None)
    (told.root / "remote.git").rename(told.root / "gone.git")
    assert end.tip("refs/heads/main").reached is False


def test_a_branch_whose_name_ends_alike_is_not_taken_for_the_one_asked_about(told: Told):
    told.text("push", "-q", "origin", "main:refs/heads/x/refs/heads/main", ":refs/heads/main")
    assert RemoteEnd(told, "origin").tip("refs/heads/main").oid is None


def test_a_password_in_a_url_is_never_an_argument(told: Told):
    told.text("config", f"url.{told.root}/.insteadOf", "https://me:s3cret@host.example/")
    told.text("config", "--add", "remote.origin.pushurl", "https://me:s3cret@host.example/remote.git")
    told.text("config", "--add", "remote.origin.pushurl", "https://me:s3cret@host.example/other.git")
    told.asked = []
    end = RemoteEnd(told, "origin")
    end.tip("refs/heads/main")
    end.fetch("refs/heads/main", "refs/homelab/x")
    end.push("main:refs/heads/main")
    assert "s3cret" not in str(told.asked)


def test_a_fetch_touches_only_the_ref_it_is_given(told: Told):
    told.text("tag", "v1")
    told.text("push", "-q", "origin", "v1")
    told.text("tag", "-d", "v1")
    told.text("update-ref", "-d", "refs/remotes/origin/main")
    RemoteEnd(told, "origin").fetch("refs/heads/main", "refs/homelab/x")
    refs = told.lines("for-each-ref", "--format=%(refname)")
    assert refs == ["refs/heads/main", "refs/homelab/x"]
    assert not (told.root / ".git/FETCH_HEAD").exists()


def test_every_clone_gives_one_repository_the_same_identity(told: Told):
    told.text("remote", "add", "ssh", "git@HOST.example:O/N.git")
    told.text("remote", "add", "https", "https://host.example/o/n/")
    assert RemoteEnd(told, "ssh").identity == RemoteEnd(told, "https").identity
    assert RemoteEnd(told, "origin").identity == str(told.root / "remote.git")


def test_a_read_only_protocol_is_refused(told: Told):
    told.text("remote", "add", "old", "git://host.example/o/n")
    with pytest.raises(UsageError, match="cannot be pushed to"):
        RemoteEnd(told, "old")


def test_a_hook_counts_only_when_git_would_run_it(told: Told):
    hook = told.root / ".git/hooks/pre-push"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\n")
    assert not pre_push_hook(told)
    hook.chmod(0o755)
    assert pre_push_hook(told)
    told.text("config", "core.hooksPath", "elsewhere")
    assert not pre_push_hook(told)
