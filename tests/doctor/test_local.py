from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from homelab.doctor import local
from homelab.doctor.model import Grade
from homelab.errors import GitFailed, UsageError
from homelab.git.runner import Git
from tests.doctor.fakes import app
from tests.trust.fakes import repository

KEY = "git.example.org/team/app"


def _git(folder: Path, says: str) -> Path:
    bin_ = folder / "bin"
    bin_.mkdir()
    (bin_ / "git").write_text(f"#!/bin/sh\necho '{says}'\n")
    (bin_ / "git").chmod(0o755)
    return bin_


def test_gits_own_version_is_named(tmp_path: Path) -> None:
    (finding,) = local.git(app(tmp_path))
    assert finding.grade is Grade.OK
    assert finding.says[0].isdigit()


@pytest.mark.parametrize("said", ["git version 2.37.9", "git version 1.8.3.1", "git version unknown"])
def test_an_older_git_is_refused_with_what_is_needed(tmp_path: Path, said: str) -> None:
    with pytest.raises(UsageError) as caught:
        list(local.git(app(tmp_path, PATH=str(_git(tmp_path, said)))))
    assert "2.38" in caught.value.fix


def test_a_vendors_version_is_understood(tmp_path: Path) -> None:
    (finding,) = local.git(app(tmp_path, PATH=str(_git(tmp_path, "git version 2.50.1 (Apple Git-155)"))))
    assert finding.says == "2.50.1"


def test_no_git_at_all_is_an_error_that_says_so(tmp_path: Path) -> None:
    with pytest.raises(GitFailed):
        list(local.git(app(tmp_path, PATH=str(tmp_path))))


def test_files_others_may_write_and_tokens_nobody_reads_are_warnings(tmp_path: Path) -> None:
    two = "".join(f'[ci.{name}]\nkind = "woodpecker"\nurl = "https://{name}.example"\n' for name in "ab")
    here = app(tmp_path, user=two, WOODPECKER_TOKEN="hunter2")
    here.settings.user_file.chmod(stat.S_IRUSR | stat.S_IWUSR | stat.S_IWGRP)
    findings = list(local.configuration(here, here.settings))
    assert [(each.name, each.grade) for each in findings] == [
        ("configuration", Grade.OK),
        ("configuration.file", Grade.WARN),
        ("configuration.token", Grade.WARN),
    ]
    assert "hunter2" not in str(findings)
    assert findings[1].fix == f"chmod go-w {here.settings.user_file}"


def test_the_repository_is_named_without_its_password(tmp_path: Path) -> None:
    here = app(tmp_path, root=repository(tmp_path, remote="https://me:hunter2@git.example.org/team/app.git"))
    (finding,) = local.repository(here.repository, here.repository.remote())
    assert finding.says == "https://git.example.org/team/app.git (origin), on main"


def test_a_remote_that_is_probably_mistyped_is_a_warning(tmp_path: Path) -> None:
    here = app(tmp_path, root=repository(tmp_path, remote="git@git.example.org:2222/team/app.git"))
    findings = list(local.repository(here.repository, here.repository.remote()))
    assert [(each.name, each.grade) for each in findings][1] == ("repository.remote", Grade.WARN)


def test_a_mirror_is_a_warning(tmp_path: Path) -> None:
    root = repository(tmp_path)
    Git(root, env=os.environ).text("remote", "set-url", "--push", "origin", "git@other.example:team/app.git")
    here = app(tmp_path, root=root)
    assert [each.name for each in local.repository(here.repository, here.repository.remote())] == [
        "repository",
        "repository.mirror",
    ]


def test_a_command_that_nobody_approved_needs_a_person(tmp_path: Path) -> None:
    here = app(tmp_path, root=repository(tmp_path, "[work]\nverify = 'make'\n"))
    (finding,) = local.trust(here, here.settings)
    assert (finding.grade, finding.outcome, finding.fix) == (Grade.FAIL, 6, "homelab trust")
    here.trust.approve(KEY, "make", now=1.0)
    (finding,) = local.trust(here, here.settings)
    assert finding.grade is Grade.OK


def test_without_a_command_there_is_nothing_to_trust(tmp_path: Path) -> None:
    here = app(tmp_path, root=repository(tmp_path))
    assert [each.grade for each in local.trust(here, here.settings)] == [Grade.SKIP]
