"""The rest of the table of evidence, each row made by a real remote: a hook, its configuration, a wrapper."""

from __future__ import annotations

import shlex
import sys

import pytest

from homelab.outcome import Outcome
from tests.work.site import Site
from tests.work.test_fallback import GITEA, PROTECT

#: A receive-pack of a server that says what became of no ref: it cuts the lines out of git's own report.
MUTE = """
import os, subprocess, sys
def packets(data):
    while data:
        size = int(data[:4], 16) or 4
        yield data[4:size]
        data = data[size:]
def packet(body): return b"%04x" % (len(body) + 4) + body if body else b"0000"
child = subprocess.Popen(["git-receive-pack", *sys.argv[1:]], stdout=subprocess.PIPE)
def exactly(count):
    data = b""
    while len(data) < count and (more := child.stdout.read(count - len(data))): data += more
    return data
while head := exactly(4):
    body = exactly(int(head, 16) - 4) if head != b"0000" else b""
    if body.startswith(b"\\1"):
        body = b"\\1" + b"".join(packet(one) for one in packets(body[1:]) if not one.startswith((b"ok ", b"ng ")))
    os.write(1, packet(body))
child.wait()
"""

#: A server that decides for itself: told the body of a loop over ``ref`` and ``new``; ``write`` answers.
DECIDES = """#!%s
import os, subprocess, sys
def read():
    size = int(os.read(0, 4), 16)
    return None if size == 0 else os.read(0, size - 4)
def write(text):
    data = text.encode()
    os.write(1, b"%%04x" %% (len(data) + 4) + data)
read()
while read() is not None: pass
write("version=1\\n"); os.write(1, b"0000")
refs = []
while (line := read()) is not None:
    refs.append(line.decode().split("\\0")[0].strip().split(" "))
def git(*words): return subprocess.run(["git", *words], check=True, capture_output=True, text=True).stdout.strip()
for old, new, ref in refs:
%s
os.write(1, b"0000")
"""


def _truth(site: Site, result) -> None:
    assert result.landed is (site.remote.run("cat-file", "-e", "main:feature.txt").code == 0)


def _server_decides(site: Site, body: str) -> None:
    site.remote.text("config", "receive.procReceiveRefs", "refs/heads/main")
    hook = site.hook("proc-receive", "")
    hook.write_text(DECIDES % (sys.executable, "\n".join("    " + line for line in body.splitlines())))


def _receive_through(site: Site, script: str) -> None:
    """Put a script between git and the server's ``git-receive-pack``; its argument is the repository."""
    site.git.text("config", "remote.origin.receivepack", script)


def _verdicts(site: Site) -> list[tuple[str, str]]:
    return [(event.verdict, event.reason) for event in site.seen.events if event.kind == "work.push.judged"]


# -- claimed success ------------------------------------------------------------------------------


def test_a_push_of_what_is_there_already_has_landed(site: Site):
    result = site.land(verify="git push -q origin HEAD:refs/heads/main")
    assert _verdicts(site) == [("claimed", "[up to date]")]
    assert result.outcome is Outcome.DONE
    _truth(site, result)


def test_a_failing_post_receive_hook_changes_nothing(site: Site):
    site.hook("post-receive", "exit 1")
    result = site.land()
    assert result.outcome is Outcome.DONE
    _truth(site, result)


def test_a_branch_the_server_makes_of_its_own_accord_is_not_the_target(site: Site):
    _server_decides(
        site,
        'git("update-ref", "refs/pull/7/head", new)\n'
        'write(f"ok {ref}\\n"); write("option refname refs/pull/7/head\\n"); write(f"option new-oid {new}\\n")\n'
        'open("asked", "a").write("x")',
    )
    result = site.land()
    assert result.outcome is Outcome.PUSH_POLICY, result.lines()
    assert result.headline == "the server took the push and main does not hold it"
    assert "refs/pull/7/head" in result.why
    assert (site.remote_path / "asked").read_text() == "x"
    _truth(site, result)


# -- races ----------------------------------------------------------------------------------------


def _someone_pushes_while_verifying(site: Site, *, afterwards: str = "true") -> str:
    """Return a verification in which someone lands once; ``afterwards`` runs in the clone then."""
    other, once = site.other(), site.root / "raced"
    return (
        f"test -e {once} && exit 0; touch {once}; (cd {other.root} && git fetch -q"
        " && git switch -q --detach origin/main && echo x > raced.txt && git add . && git commit -qm race"
        f" && git push -q origin HEAD:refs/heads/main) && {afterwards}"
    )


@pytest.mark.parametrize(
    ("afterwards", "reason"), [("true", "fetch first"), ("git fetch -q origin main", "non-fast-forward")]
)
def test_a_push_that_is_behind_is_a_race_whether_or_not_the_newer_commit_is_here(site: Site, afterwards, reason):
    result = site.land(verify=_someone_pushes_while_verifying(site, afterwards=afterwards))
    assert _verdicts(site)[0] == ("race", reason)
    assert result.outcome is Outcome.DONE
    assert site.remote.run("cat-file", "-e", "main:raced.txt").code == 0
    _truth(site, result)


def test_a_rejected_push_whose_commit_someone_built_upon_has_landed_once(site: Site):
    other = site.other()
    result = site.land(
        verify=f"git push -q origin HEAD:refs/heads/main; cd {other.root} && git pull -q origin main"
        " && echo x > on-top.txt && git add . && git commit -qm 'On top' && git push -q origin HEAD:refs/heads/main"
    )
    assert _verdicts(site) == [("race", "fetch first")]
    assert result.outcome is Outcome.DONE
    assert site.remote.text("log", "-1", "--format=%s", "main") == "On top"
    assert len(site.remote.lines("log", "--format=%s", "--grep=Write feature.txt", "main")) == 1
    _truth(site, result)


def test_a_newer_servers_words_for_a_lost_compare_and_swap_are_a_race(site: Site):
    _server_decides(
        site,
        'if os.path.exists("raced"):\n    git("update-ref", ref, new, old); write(f"ok {ref}\\n"); continue\n'
        'open("raced", "w").close()\n'
        'theirs = git("commit-tree", "-p", old, "-m", "inside the server", old + "^{tree}")\n'
        'git("update-ref", ref, theirs)\n'
        'write(f"ng {ref} incorrect old value provided\\n")',
    )
    result = site.land()
    assert _verdicts(site)[0] == ("race", "incorrect old value provided")
    assert result.outcome is Outcome.DONE, result.lines()
    assert "inside the server" in site.remote.lines("log", "--format=%s", "main")
    _truth(site, result)


def test_a_target_that_someone_else_creates_first_is_not_overwritten(site: Site):
    site.hook(
        "pre-receive",
        "git rev-parse -q --verify refs/heads/release >/dev/null && exit 0\n"
        "unset GIT_QUARANTINE_PATH GIT_OBJECT_DIRECTORY GIT_ALTERNATE_OBJECT_DIRECTORIES\n"
        "git update-ref refs/heads/release $(git commit-tree -p main -m theirs $(git rev-parse 'main^{tree}'))",
    )
    result = site.land(into="release", create_target=True)
    assert _verdicts(site)[0][0] == "stuck_lock"
    assert result.outcome is Outcome.DONE, result.lines()
    assert "theirs" in site.remote.lines("log", "--format=%s", "release")


# -- the branch push of the fallback --------------------------------------------------------------


def _moves_the_branch_before_the_second_push(site: Site) -> str:
    """Return a receive-pack that lets someone push ``topic`` just before ours begins."""
    script = site.root / "between.sh"
    script.write_text(
        f"#!/bin/sh\necho x >> {site.root}/pushes\n"
        f"test $(wc -l < {site.root}/pushes) = 2 && git -C {site.remote_path} update-ref refs/heads/topic"
        f" $(git -C {site.remote_path} commit-tree -p topic -m theirs 'main^{{tree}}')\n"
        'exec git-receive-pack "$@"\n'
    )
    script.chmod(0o755)
    return str(script)


def test_a_branch_that_moved_under_its_lease_is_reported_and_left_to_whoever_moved_it(site: Site):
    site.hook("pre-receive", PROTECT.format(GITEA))
    site.land()
    ours = site.tip("topic")
    site.git.text("commit", "-q", "--amend", "-m", "Reworded")
    _receive_through(site, _moves_the_branch_before_the_second_push(site))
    result = site.land()
    assert _verdicts(site)[-1] == ("lease", "stale info")
    assert result.outcome is Outcome.PUSH_POLICY
    assert result.headline == "the branch on the remote is not where we left it"
    assert site.remote.text("log", "-1", "--format=%s", "topic") == "theirs"
    assert site.remote.text("rev-parse", "topic^") == ours
    _truth(site, result)
    again, head = site.land(), site.git.text("rev-parse", "HEAD")
    assert again.outcome is Outcome.PROTECTED
    assert site.tip(f"topic-{head[:12]}") == head
    assert site.remote.text("log", "-1", "--format=%s", "topic") == "theirs"


def test_a_server_that_dies_under_the_branch_push_declined_nothing(site: Site):
    site.hook(
        "pre-receive",
        f'while read old new ref; do test "$ref" = refs/heads/main && {{ echo "{GITEA}" >&2; exit 1; }}; done\n'
        "kill -9 $PPID",
    )
    result = site.land()
    assert result.outcome is Outcome.PUSH_NETWORK, result.lines()
    assert "declined" not in result.headline
    _truth(site, result)


# -- refusals -------------------------------------------------------------------------------------

PROTECTING = {
    "bitbucket, permission": "Permission denied to update branch main.",
    "bitbucket, restrictions": "Branch restrictions prevent this push: refs/heads/main",
    "gitlab, force": "GitLab: You are not allowed to force push code to a protected branch on this project.",
}


@pytest.mark.parametrize("name", PROTECTING)
def test_each_forges_words_for_a_protected_branch_push_the_branch_instead(site: Site, name: str):
    site.hook("pre-receive", PROTECT.format(PROTECTING[name]))
    result = site.land()
    assert _verdicts(site)[0] == ("protected", "pre-receive hook declined")
    assert result.outcome is Outcome.PROTECTED
    assert PROTECTING[name] in result.details
    assert site.tip("topic") == site.git.text("rev-parse", "HEAD")
    _truth(site, result)


def test_a_branch_protected_until_green_names_the_staged_land(site: Site):
    said = "error: GH006: Protected branch update failed for refs/heads/main.\\n"
    said += 'error: Required status check \\"ci\\" is expected.\\n'
    _server_decides(site, f'sys.stderr.write("{said}"); write(f"ng {{ref}} protected branch hook declined\\n")')
    result = site.land()
    assert _verdicts(site)[0] == ("needs_checks", "protected branch hook declined")
    assert result.outcome is Outcome.PROTECTED
    assert any("homelab work land --staged" in line for line in result.lines())
    assert site.tip("topic") == site.git.text("rev-parse", "HEAD")
    _truth(site, result)


def test_an_update_hook_that_declines_is_a_policy_and_nothing_is_pushed_elsewhere(site: Site):
    site.hook("update", "echo 'sign your commits' >&2; exit 1")
    result = site.land()
    assert _verdicts(site) == [("policy", "hook declined")]
    assert result.outcome is Outcome.PUSH_POLICY
    assert "sign your commits" in result.details
    assert site.remote.lines("for-each-ref", "--format=%(refname)") == ["refs/heads/main"]
    _truth(site, result)


def test_history_cut_off_here_that_the_server_lacks_is_told_in_gits_words(site: Site):
    site.git.text("switch", "-q", "--orphan", "cut")
    site.commit("unseen.txt")
    edge = site.commit("edge.txt")
    site.git.text("switch", "-q", "topic")
    site.git.text("merge", "-q", "--allow-unrelated-histories", "--no-edit", "cut")
    (site.clone / ".git/shallow").write_text(edge + "\n")
    result = site.land()
    assert _verdicts(site) == [("remote_config", "shallow update not allowed")]
    assert result.outcome is Outcome.PUSH_POLICY
    assert "shallow update not allowed" in result.why
    _truth(site, result)


# -- unknown --------------------------------------------------------------------------------------


@pytest.mark.parametrize("declines", [False, True])
def test_a_server_that_reports_no_ref_is_asked_what_is_true(site: Site, declines: bool):
    mute = site.root / "mute.py"
    mute.write_text(MUTE)
    _receive_through(site, shlex.join([sys.executable, str(mute)]))
    if declines:
        site.hook("pre-receive", "exit 1")
    result = site.land()
    assert _verdicts(site)[0] == ("unknown", "[remote failure] remote failed to report status")
    assert result.outcome is (Outcome.PUSH_NETWORK if declines else Outcome.DONE), result.lines()
    _truth(site, result)
