"""The table of evidence: what each shape of a push's output proves, and what it does not."""

from __future__ import annotations

import pytest

from homelab.git.classify import PushClass, classify, remote_lines, transport
from homelab.git.porcelain import parse

REF = "refs/heads/main"


def _report(flag: str, summary: str) -> str:
    return f"To ssh://host.example/o/n\n{flag}\tabc123:{REF}\t{summary}\nDone\n"


GITEA = "remote: \nremote: Gitea: Not allowed to push to protected branch main\n"
GITLAB = "remote: GitLab: You are not allowed to push code to protected branches on this project.\n"
GITHUB = "remote: error: GH006: Protected branch update failed for refs/heads/main.\n"
CHECKS = GITHUB + 'remote: error: Required status check "ci" is expected.\n'
RULES = "remote: error: GH013: Repository rule violations found for refs/heads/main.\n"

#: name, exit code, stdout, stderr, class
ROWS = [
    ("moved", 0, _report(" ", "abc..def"), "", "claimed"),
    ("new branch", 0, _report("*", "[new branch]"), "", "claimed"),
    ("forced", 0, _report("+", "abc...def (forced update)"), "", "claimed"),
    ("up to date", 0, _report("=", "[up to date]"), "", "claimed"),
    ("killed in post-receive", 1, _report(" ", "abc..def"), "error: failed to push some refs", "claimed"),
    ("fetch first", 1, _report("!", "[rejected] (fetch first)"), "", "race"),
    ("non-fast-forward", 1, _report("!", "[rejected] (non-fast-forward)"), "", "race"),
    (
        "compare-and-swap",
        1,
        _report("!", "[remote rejected] (failed to update ref)"),
        "remote: error: cannot lock ref 'refs/heads/main': is at 1111111 but expected 2222222\n",
        "race",
    ),
    (
        "compare-and-swap in the reason",
        1,
        _report("!", "[remote rejected] (cannot lock ref 'refs/heads/main': is at 11111111 but expected 22222222)"),
        "",
        "race",
    ),
    ("old value", 1, _report("!", "[remote rejected] (incorrect old value provided)"), "", "race"),
    (
        "stuck lock",
        1,
        _report("!", "[remote rejected] (failed to update ref)"),
        "remote: error: cannot lock ref 'refs/heads/main': Unable to create '/srv/n.git/refs/heads/main.lock'\n",
        "stuck_lock",
    ),
    ("reference exists", 1, _report("!", "[remote rejected] (reference already exists)"), "", "stuck_lock"),
    ("lease", 1, _report("!", "[rejected] (stale info)"), "", "lease"),
    ("lease, checkout", 1, _report("!", "[rejected] (remote ref updated since checkout)"), "", "lease"),
    ("github", 1, _report("!", "[remote rejected] (protected branch hook declined)"), GITHUB, "protected"),
    (
        "github rules",
        1,
        _report("!", "[remote rejected] (push declined due to repository rule violations)"),
        RULES,
        "protected",
    ),
    ("github checks", 1, _report("!", "[remote rejected] (protected branch hook declined)"), CHECKS, "needs_checks"),
    (
        "github secret",
        1,
        _report("!", "[remote rejected] (push declined due to repository rule violations)"),
        RULES + "remote: - Push cannot contain secrets\n",
        "policy",
    ),
    ("gitea", 1, _report("!", "[remote rejected] (pre-receive hook declined)"), GITEA, "protected"),
    ("gitlab", 1, _report("!", "[remote rejected] (pre-receive hook declined)"), GITLAB, "protected"),
    (
        "bitbucket",
        1,
        _report("!", "[remote rejected] (pre-receive hook declined)"),
        "remote: Permission denied to update branch main.\n",
        "protected",
    ),
    (
        "azure",
        1,
        _report("!", "[remote rejected] (TF402455: Pushes are not permitted)"),
        "",
        "protected",
    ),
    ("gerrit", 1, _report("!", "[remote rejected] (prohibited by Gerrit: not permitted: update)"), "", "protected"),
    (
        "policy",
        1,
        _report("!", "[remote rejected] (pre-receive hook declined)"),
        "remote: commit message must name an issue\n",
        "policy",
    ),
    ("update hook", 1, _report("!", "[remote rejected] (hook declined)"), "", "policy"),
    ("checked out", 1, _report("!", "[remote rejected] (branch is currently checked out)"), "", "remote_config"),
    ("shallow", 1, _report("!", "[remote rejected] (shallow update not allowed)"), "", "remote_config"),
    ("hidden", 1, _report("!", "[remote rejected] (deny updating a hidden ref)"), "", "remote_config"),
    ("no status", 1, _report("!", "[remote failure] (remote failed to report status)"), "", "unknown"),
    ("unheard of", 1, _report("!", "[remote rejected] (unpacker error)"), "", "unknown"),
    ("another ref", 0, _report(" ", "abc..def").replace(REF, "refs/for/main"), "", "claimed"),
    ("another ref, refused", 1, _report("!", "[rejected] (fetch first)").replace(REF, "refs/for/main"), "", "unknown"),
    ("done alone, dropped", 1, "Done\n", "fatal: the remote end hung up unexpectedly\n", "unknown"),
    ("done alone, too large", 1, "Done\n", "error: RPC failed; HTTP 413 curl 22\n", "unknown"),
    ("dropped over a pipe", 128, "", "fatal: the remote end hung up unexpectedly\n", "unknown"),
    ("killed", -9, "", "", "unknown"),
    (
        "no prompt",
        128,
        "",
        "fatal: could not read Username for 'https://h.example': terminal prompts disabled\n",
        "auth",
    ),
    ("wrong password", 128, "", "fatal: Authentication failed for 'https://h.example/o/n/'\n", "auth"),
    ("wrong key", 128, "", "git@h.example: Permission denied (publickey).\nfatal: Could not read\n", "auth"),
    ("unknown host", 128, "", "Host key verification failed.\n", "auth"),
    ("403", 128, "", "fatal: unable to access 'https://h.example/': The requested URL returned error: 403\n", "auth"),
    ("404", 128, "", "fatal: repository 'https://h.example/o/n/' not found\n", "auth"),
    ("no name", 128, "", "fatal: unable to access 'x': Could not resolve host: h.example\n", "network"),
    ("refused", 128, "", "ssh: connect to host h.example port 22: Connection refused\n", "network"),
    ("503", 128, "", "fatal: unable to access 'x': The requested URL returned error: 503\n", "network"),
    ("429", 128, "", "fatal: unable to access 'x': The requested URL returned error: 429\n", "network"),
    ("options", 128, "", "fatal: the receiving end does not support push options\n", "no_push_options"),
    ("usage", 128, "", "fatal: --mirror can't be combined with refspecs\n", "usage"),
]


@pytest.mark.parametrize("row", ROWS, ids=[row[0] for row in ROWS])
def test_each_shape_of_output_is_evidence_of_one_thing(row):
    _, code, stdout, stderr, expected = row
    assert classify(code=code, stdout=stdout, stderr=stderr, ref=REF).kind == PushClass(expected)


def test_a_hooks_forged_report_before_the_real_one_is_not_read():
    forged = _report("!", "[rejected] (fetch first)")
    assert classify(code=0, stdout=forged + _report(" ", "abc..def"), stderr="", ref=REF).kind is PushClass.CLAIMED
    assert classify(code=1, stdout=_report(" ", "a..b") + _report("!", "[rejected] (fetch first)"), stderr="", ref=REF)


def test_words_of_a_hook_outside_the_report_prove_nothing():
    said = "remote: hint: Updates were rejected (fetch first), protected branch GH006\n"
    verdict = classify(code=0, stdout=_report(" ", "abc..def"), stderr=said, ref=REF)
    assert verdict.kind is PushClass.CLAIMED
    assert verdict.remote_said == ("hint: Updates were rejected (fetch first), protected branch GH006",)


def test_without_a_report_a_local_hook_declined():
    said = "fetch first! protected!\nerror: failed to push some refs to 'x'\n"
    assert classify(code=1, stdout="", stderr=said, ref=REF, pre_push_hook=True).kind is PushClass.LOCAL_HOOK
    assert classify(code=1, stdout="", stderr=said, ref=REF).kind is PushClass.UNKNOWN


def test_a_push_that_ran_out_of_time_is_unknown():
    assert classify(code=-15, stdout="", stderr="", ref=REF, timed_out=True).kind is PushClass.UNKNOWN


def test_the_servers_words_do_not_look_like_the_transports():
    assert transport("remote: Connection refused\n") is PushClass.UNKNOWN
    assert transport("fatal: Could not resolve host\n") is PushClass.NETWORK


def test_the_servers_lines_are_kept_verbatim_without_progress():
    assert remote_lines("remote: Counting: 1%\rremote: one  two\nerror: x\nremote:\n") == ("one  two",)


def test_a_reason_with_parentheses_is_read_whole():
    line = parse(_report("!", "[remote rejected] (cannot lock ref 'x': (odd) y)")).about(REF)
    assert line is not None
    assert (line.summary, line.reason) == ("[remote rejected]", "cannot lock ref 'x': (odd) y")


def test_a_ref_with_several_lines_is_judged_by_the_last():
    text = _report(" ", "a..b").replace("Done\n", "") + f"!\tx:{REF}\t[remote rejected] (hook declined)\nDone\n"
    assert classify(code=1, stdout=text, stderr="", ref=REF).kind is PushClass.POLICY
