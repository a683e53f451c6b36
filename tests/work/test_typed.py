"""What a person or a program is told to type stays one command, whatever somebody called a branch or a folder."""

from __future__ import annotations

import shlex

import pytest

from homelab.errors import HomelabError
from homelab.work.clean import clean
from homelab.work.start import start
from tests.work.site import Site

TOPIC = "a;touch${IFS}hit;'b"


def _told(error: HomelabError) -> str:
    """Return the command to type, after checking that each name in it is quoted."""
    assert TOPIC not in error.fix.replace(shlex.quote(TOPIC), "")
    return error.fix


def test_cleaning_a_branch_that_has_not_landed(site: Site) -> None:
    started = start(site.app(), TOPIC)
    (started.path / "new.txt").write_text("new\n")
    there = site.git.at(started.path)
    there.text("add", ".")
    there.text("commit", "-qm", "new")
    with pytest.raises(HomelabError) as caught:
        clean(site.app(), TOPIC)
    assert f"homelab work clean {shlex.quote(TOPIC)} --discard" in _told(caught.value)
    (started.path / "new.txt").write_text("changed\n")
    with pytest.raises(HomelabError) as caught:
        clean(site.app(), TOPIC, discard=True)
    assert f"cd {shlex.quote(str(started.path))};" in _told(caught.value)
    there.text("checkout", "--", ".")
    done = " ".join(clean(site.app(), TOPIC, discard=True).lines())
    assert f"git branch {shlex.quote(TOPIC)} " in done
    command = done.partition("back with: ")[2]
    assert site.git.run(*shlex.split(command)[1:]).code == 0
    assert site.git.run("rev-parse", "--verify", "-q", f"refs/heads/{TOPIC}").code == 0


def test_starting_where_something_is_in_the_way(site: Site) -> None:
    (site.clone / ".worktrees" / TOPIC).mkdir(parents=True)
    with pytest.raises(HomelabError) as caught:
        start(site.app(), TOPIC)
    assert f"homelab work start {shlex.quote(TOPIC)}" in _told(caught.value)


def test_cleaning_what_the_main_worktree_has_checked_out(site: Site) -> None:
    site.git.text("switch", "-qc", TOPIC)
    with pytest.raises(HomelabError) as caught:
        clean(site.app(), TOPIC)
    assert f"then: homelab work clean {shlex.quote(TOPIC)}" in _told(caught.value)


def test_a_target_that_the_remote_does_not_have(site: Site) -> None:
    result = site.land(into=TOPIC)
    assert f"--into {shlex.quote(TOPIC)} --create-target" in result.next[0]
