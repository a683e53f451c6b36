"""Every shape of a push, made by a real server's hooks, locks and deaths: what the answer says, and what is true."""

from __future__ import annotations

import sys

import pytest

from homelab.outcome import Outcome
from homelab.work.push import too_large
from tests.work.site import Site

FORGED = """echo "To ssh://elsewhere"; printf '!\\tHEAD:refs/heads/main\\t[rejected] (fetch first)\\n'; echo Done
echo "fetch first, protected branch, GH006" >&2"""


def _truth(site: Site, result) -> None:
    """The one invariant of every answer: it says landed exactly when the remote holds the commit."""
    holds = site.remote.run("cat-file", "-e", "main:feature.txt").code == 0
    assert result.landed is holds


def test_a_hooks_forged_report_changes_nothing(site: Site):
    site.hook("pre-push", FORGED, git_dir=site.clone / ".git")
    result = site.land()
    assert result.outcome is Outcome.DONE
    _truth(site, result)


def test_a_local_hook_that_declines_is_quoted_and_not_retried(site: Site):
    hook = site.hook("pre-push", f"{FORGED}\necho run >> ../hook-runs; exit 1", git_dir=site.clone / ".git")
    result = site.land()
    assert result.outcome is Outcome.PUSH_POLICY
    assert result.headline == "the local pre-push hook declined"
    assert (site.root / "hook-runs").read_text() == "run\n"
    assert hook.exists()
    _truth(site, result)


def test_a_server_killed_after_the_update_has_landed(site: Site):
    site.hook("post-receive", "kill -9 $PPID")
    result = site.land()
    assert result.outcome is Outcome.DONE
    _truth(site, result)


def test_a_server_killed_before_the_update_has_not_landed_and_is_tried_again(site: Site):
    site.hook("pre-receive", 'test -e "$GIT_DIR/died" || { touch "$GIT_DIR/died"; kill -9 $PPID; }')
    result = site.land()
    assert result.outcome is Outcome.DONE
    assert any("push failed" in line for line in site.seen.plain)
    _truth(site, result)


def test_a_server_that_always_dies_is_a_network_failure(site: Site):
    site.hook("pre-receive", "kill -9 $PPID")
    result = site.land()
    assert result.outcome is Outcome.PUSH_NETWORK
    _truth(site, result)


def test_a_report_that_never_arrives_is_asked_about(site: Site):
    swallow = site.root / "swallow.py"
    swallow.write_text(
        "import os, subprocess, sys, threading\n"
        "child = subprocess.Popen(['git-receive-pack', *sys.argv[1:]], stdout=subprocess.PIPE)\n"
        "marker = os.path.join(sys.argv[1], 'updated')\n"
        "while chunk := os.read(child.stdout.fileno(), 65536):\n"
        "    if os.path.exists(marker):\n"
        "        child.kill(); child.wait(); os._exit(1)\n"
        "    os.write(1, chunk)\n"
    )
    site.hook("post-update", 'touch "$GIT_DIR/updated"')
    site.git.text("config", "remote.origin.receivepack", f"{sys.executable} {swallow}")
    result = site.land()
    assert result.outcome is Outcome.DONE
    _truth(site, result)


def test_a_remote_that_cannot_be_asked_is_unknown_and_says_so_first(site: Site):
    # The update happens, then the whole remote goes away before anybody can ask.
    site.hook("post-receive", f"mv {site.remote_path} {site.remote_path}.away; kill -9 $PPID")
    result = site.land()
    assert result.outcome is Outcome.LAND_UNKNOWN
    assert result.lines()[0].startswith("UNKNOWN: ")
    assert "homelab work land --resume" in result.next[0]
    (site.root / "remote.git.away").rename(site.remote_path)
    again = site.land(resume=True)
    assert again.outcome is Outcome.DONE
    assert again.landed_oid == site.tip()
    _truth(site, again)


def test_a_lost_race_is_integrated_and_verified_again(site: Site):
    other = site.other()
    race = site.root / "race.sh"
    race.write_text(
        f"test -e {site.root}/raced && exit 0\ntouch {site.root}/raced\ncd {other.root}\n"
        "git fetch -q && git switch -q --detach origin/main && echo x > raced.txt && git add . \n"
        "git commit -qm race && git push -q origin HEAD:refs/heads/main\n"
    )
    result = site.land(verify=f"sh {race}; echo run >> {site.root}/verified")
    assert result.outcome is Outcome.DONE
    assert (site.root / "verified").read_text() == "run\nrun\n"
    assert site.remote.run("cat-file", "-e", "main:raced.txt").code == 0
    assert any(line.startswith("work: attempt 1/5: the target moved by") for line in site.seen.plain)
    _truth(site, result)


def test_races_without_end_use_up_the_budget(site: Site):
    other = site.other()
    race = (
        f"cd {other.root} && git fetch -q && git switch -q --detach origin/main && date +%N > raced.txt"
        " && git add . && git commit -qm race && git push -q origin HEAD:refs/heads/main"
    )
    result = site.land(verify=race, attempts=2)
    assert result.outcome is Outcome.RACE_LOST
    _truth(site, result)


def test_a_compare_and_swap_lost_inside_the_server_is_a_race(site: Site):
    site.hook(
        "pre-receive",
        'test -e "$GIT_DIR/raced" && exit 0; touch "$GIT_DIR/raced"; unset GIT_QUARANTINE_PATH GIT_OBJECT_DIRECTORY'
        " GIT_ALTERNATE_OBJECT_DIRECTORIES\n"
        "new=$(git commit-tree -p main -m 'inside the server' $(git rev-parse 'main^{tree}'))\n"
        "git update-ref refs/heads/main $new",
    )
    result = site.land()
    assert result.outcome is Outcome.DONE
    assert result.state is not None
    assert result.state.attempts == 2
    _truth(site, result)


def test_a_lock_left_on_the_server_is_retried_then_told(site: Site):
    (site.remote_path / "refs/heads/main.lock").write_text("")
    result = site.land()
    assert result.outcome is Outcome.PUSH_NETWORK
    _truth(site, result)


@pytest.mark.parametrize(
    ("name", "body", "outcome"),
    [
        ("gitea", "echo 'Gitea: Not allowed to push to protected branch main' >&2", Outcome.PROTECTED),
        ("gitlab", "echo 'GitLab: You are not allowed to push code to protected branches.' >&2", Outcome.PROTECTED),
        ("policy", "echo 'every commit names an issue' >&2", Outcome.PUSH_POLICY),
    ],
)
def test_a_declined_push_falls_back_only_where_the_branch_is_protected(site: Site, name, body, outcome):
    site.hook(
        "pre-receive",
        f'while read old new ref; do test "$ref" = refs/heads/main && {{ {body}; exit 1; }}; done; exit 0',
    )
    result = site.land()
    assert result.outcome is outcome
    pushed = site.remote.run("rev-parse", "--verify", "--quiet", "refs/heads/topic").code == 0
    assert pushed is (outcome is Outcome.PROTECTED)
    assert any("Not allowed" in line or "not allowed" in line or "issue" in line for line in result.lines())
    _truth(site, result)


PROC_RECEIVE = """#!%s
import os, sys
def read():
    size = int(os.read(0, 4), 16)
    return None if size == 0 else os.read(0, size - 4)
def write(text):
    data = text.encode()
    os.write(1, b"%%04x" %% (len(data) + 4) + data)
def flush(): os.write(1, b"0000")
read()
while read() is not None: pass
write("version=1\\n"); flush()
refs = []
while (line := read()) is not None:
    refs.append(line.decode().split("\\0")[0].strip().split(" ")[2])
for ref in refs:
    sys.stderr.write(%r)
    write("ng %%s %s\\n" %% ref)
flush()
"""


@pytest.mark.parametrize(
    ("reason", "words", "outcome"),
    [
        ("protected branch hook declined", "error: GH006: Protected branch update failed\n", Outcome.PROTECTED),
        ("push declined due to repository rule violations", "error: GH013: rules\n", Outcome.PROTECTED),
        (
            "push declined due to repository rule violations",
            "error: GH013: rules\n- Push cannot contain secrets\n",
            Outcome.PUSH_POLICY,
        ),
        ("TF402455: Pushes to this branch are not permitted", "", Outcome.PROTECTED),
        ("prohibited by Gerrit: not permitted: update", "", Outcome.PROTECTED),
        ("something nobody has heard of", "", Outcome.PUSH_NETWORK),
    ],
)
def test_a_forges_own_refusal_is_understood(site: Site, reason, words, outcome):
    site.remote.text("config", "receive.procReceiveRefs", "refs/heads/main")
    hook = site.remote_path / "hooks/proc-receive"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(PROC_RECEIVE % (sys.executable, words, reason))
    hook.chmod(0o755)
    result = site.land()
    assert result.outcome is outcome
    assert site.remote.run("rev-parse", "--verify", "-q", "refs/heads/topic").code == (0 if outcome == 13 else 1)
    _truth(site, result)


def test_a_branch_checked_out_on_the_server_is_told_in_gits_words(site: Site):
    site.remote.text("config", "core.bare", "false")
    site.remote.text("config", "receive.denyCurrentBranch", "refuse")
    site.git.text("remote", "set-url", "origin", str(site.root / "wt"))
    (site.root / "wt").mkdir()
    site.remote_path.rename(site.root / "wt/.git")
    result = site.land()
    assert result.outcome is Outcome.PUSH_POLICY
    assert "branch is currently checked out" in result.why


def test_a_hidden_ref_is_told_in_gits_words(site: Site):
    site.remote.text("config", "receive.hideRefs", "refs/heads/main")
    result = site.land()
    assert result.outcome is Outcome.PUSH_POLICY
    assert "hidden ref" in result.why
    _truth(site, result)


def test_a_server_without_push_options_is_pushed_to_without(site: Site):
    site.remote.text("config", "receive.advertisePushOptions", "false")
    result = site.land(push_options=("topic=x",))
    assert result.outcome is Outcome.DONE


def _over_ssh(site: Site, refuse: str) -> None:
    """Reach the remote through a wrapper where git would run ssh: reading works, pushing meets ``refuse``."""
    ssh = site.root / "ssh.sh"
    ssh.write_text(
        "#!/bin/sh\nfor request; do :; done\n"
        f'case "$request" in *receive-pack*) {refuse} ;; esac\n'
        'exec sh -c "$request"\n'
    )
    ssh.chmod(0o755)
    site.git.text("config", "core.sshCommand", str(ssh))
    site.git.text("config", "ssh.variant", "simple")
    site.git.text("remote", "set-url", "origin", f"ssh://git@git.example{site.remote_path}")


@pytest.mark.parametrize(
    ("words", "outcome"),
    [
        ("git@git.example: Permission denied (publickey).", Outcome.PUSH_DENIED),
        ("Host key verification failed.", Outcome.PUSH_DENIED),
        ("ssh: connect to host git.example port 22: Connection refused", Outcome.PUSH_NETWORK),
        ("ssh: Could not resolve hostname git.example", Outcome.PUSH_NETWORK),
    ],
)
def test_what_ssh_says_decides_between_denied_and_unreachable(site: Site, words, outcome):
    _over_ssh(site, f"echo '{words}' >&2; echo x >> {site.root}/tries; exit 255")
    result = site.land()
    assert result.outcome is outcome
    assert len((site.root / "tries").read_text().split()) == (1 if outcome is Outcome.PUSH_DENIED else 3)
    _truth(site, result)


def test_bypassed_rules_are_warned_of(site: Site):
    site.hook("post-receive", "echo 'Bypassed rule violations for refs/heads/main:' >&2")
    assert site.land().outcome is Outcome.DONE
    assert any("past its protection rules" in line for line in site.seen.plain)


def test_several_push_urls_land_on_the_first_and_each_is_told(site: Site):
    second = site.root / "second.git"
    site.git.text("clone", "-q", "--bare", str(site.remote_path), str(second))
    site.git.text("config", "--add", "remote.origin.pushurl", str(site.remote_path))
    site.git.text("config", "--add", "remote.origin.pushurl", str(second))
    site.git.text("config", "--add", "remote.origin.pushurl", "/nowhere.git")
    assert site.land(all_push_urls=True).outcome is Outcome.DONE
    assert site.git.at(second).text("rev-parse", "main") == site.tip()
    assert any("/nowhere.git did NOT take it" in line for line in site.seen.plain)


def test_a_mirror_that_is_fetched_from_does_not_decide(site: Site):
    mirror = site.root / "mirror.git"
    site.git.text("clone", "-q", "--bare", str(site.remote_path), str(mirror))
    site.someone_lands("theirs.txt")
    site.git.text("remote", "set-url", "origin", str(mirror))
    site.git.text("remote", "set-url", "--push", "origin", str(site.remote_path))
    result = site.land()
    assert result.outcome is Outcome.DONE
    assert site.remote.run("cat-file", "-e", "main:theirs.txt").code == 0
    _truth(site, result)


@pytest.mark.parametrize(
    ("said", "large"),
    [
        ("error: RPC failed; HTTP 413 curl 22 The requested URL returned error: 413", True),
        ("fatal: unable to access 'http://127.0.0.1:44139/remote.git/': The requested URL returned error: 503", False),
        ("fatal: unable to access 'http://git.example:413/r.git/': Connection refused", False),
    ],
    ids=["413", "a port that holds the digits", "port 413"],
)
def test_only_the_status_413_means_too_large(said: str, large: bool):
    assert too_large(said) is large
