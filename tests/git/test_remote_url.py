"""Every spelling of a remote URL names the repository that git itself would dial."""

from __future__ import annotations

import pytest

from homelab.errors import UsageError
from homelab.git.remote_url import parse, require_pushable, same_repository, under

#: text, kind, host, port, owner, name
ROWS = [
    ("git@host.example:owner/name.git", "ssh", "host.example", None, "owner", "name"),
    ("host.example:owner/name", "ssh", "host.example", None, "owner", "name"),
    ("me@host.example:owner/name/", "ssh", "host.example", None, "owner", "name"),
    ("org-123@github.com:o/n.git", "ssh", "github.com", None, "o", "n"),
    ("git@host.example:/srv/git/o/n.git", "ssh", "host.example", None, "srv/git/o", "n"),
    ("git@host.example:name.git", "ssh", "host.example", None, None, "name"),
    ("git@host.example:2222/o/n.git", "ssh", "host.example", None, "2222/o", "n"),
    ("[git@host.example:2222]:o/n.git", "ssh", "host.example", 2222, "o", "n"),
    ("git@[2001:db8::1]:o/n.git", "ssh", "2001:db8::1", None, "o", "n"),
    ("[2001:db8::1]:o/n.git", "ssh", "2001:db8::1", None, "o", "n"),
    ("[git@2001:db8::1]:o/n", "ssh", "2001:db8::1", None, "o", "n"),
    ("ssh://git@host.example/o/n.git", "ssh", "host.example", None, "o", "n"),
    ("ssh://git@host.example:2222/o/n.git", "ssh", "host.example", 2222, "o", "n"),
    ("ssh://git@host.example:/o/n", "ssh", "host.example", None, "o", "n"),
    ("ssh://git@[2001:db8::1]:2222/o/n", "ssh", "2001:db8::1", 2222, "o", "n"),
    ("ssh://host.example/~alice/n.git", "ssh", "host.example", None, "~alice", "n"),
    ("git@h:~alice/n", "ssh", "h", None, "~alice", "n"),
    ("ssh://git@host.example//o/n.git", "ssh", "host.example", None, "o", "n"),
    ("git+ssh://git@host.example/o/n", "ssh", "host.example", None, "o", "n"),
    ("ssh+git://git@host.example/o/n", "ssh", "host.example", None, "o", "n"),
    ("git://host.example/o/n", "git", "host.example", None, "o", "n"),
    ("https://host.example/o/n", "https", "host.example", None, "o", "n"),
    ("https://host.example/o/n.git", "https", "host.example", None, "o", "n"),
    ("https://host.example/o/n.git/", "https", "host.example", None, "o", "n"),
    ("https://user:tok@host.example:8443/o/n.git/", "https", "host.example", 8443, "o", "n"),
    ("https://user%40corp@host.example/o/n", "https", "host.example", None, "o", "n"),
    ("http://host.example:80/o/n", "http", "host.example", None, "o", "n"),
    ("https://HOST.Example/Owner/Name", "https", "host.example", None, "Owner", "Name"),
    ("https://[2001:db8::1]:3000/o/n", "https", "2001:db8::1", 3000, "o", "n"),
    ("https://host.example/g/sub/sub2/n.git", "https", "host.example", None, "g/sub/sub2", "n"),
    ("https://host.example/gitea/o/n", "https", "host.example", None, "gitea/o", "n"),
    ("ssh://git@host.example/o/na%20me", "ssh", "host.example", None, "o", "na me"),
    ("u@host.example:o/na%20me", "ssh", "host.example", None, "o", "na%20me"),
    ("https://host.example/o/n.git.git", "https", "host.example", None, "o", "n.git"),
    ("https://host.example/name.git", "https", "host.example", None, None, "name"),
    ("ssh://git@evil.example/o/x@github.com/o/n", "ssh", "evil.example", None, "o/x@github.com/o", "n"),
    ("ssh://git@ssh.github.com:443/o/n", "ssh", "github.com", None, "o", "n"),
    ("ssh://git@altssh.gitlab.com:443/g/s/n", "ssh", "gitlab.com", None, "g/s", "n"),
    ("ssh://git@altssh.bitbucket.org:443/o/n", "ssh", "bitbucket.org", None, "o", "n"),
    ("git@ssh.dev.azure.com:v3/org/proj/repo", "ssh", "dev.azure.com", None, "org/proj", "repo"),
    ("https://org@dev.azure.com/org/proj/_git/repo", "https", "dev.azure.com", None, "org/proj", "repo"),
    ("https://dev.azure.com/org/_git/repo", "https", "dev.azure.com", None, "org/repo", "repo"),
    ("ssh://git@host.example:7999/proj/n", "ssh", "host.example", 7999, "proj", "n"),
    ("ssh://u@host.example:29418/a/b/p", "ssh", "host.example", 29418, "a/b", "p"),
    ("codecommit::eu-central-1://profile@repo", "codecommit", None, None, None, "repo"),
    ("codecommit://profile@repo", "codecommit", None, None, None, "repo"),
    (
        "https://git-codecommit.eu-west-1.amazonaws.com/v1/repos/n",
        "codecommit",
        "git-codecommit.eu-west-1.amazonaws.com",
        None,
        None,
        "n",
    ),
    ("file:///srv/n.git", "local", None, None, None, "n"),
    ("/srv/n.git", "local", None, None, None, "n"),
    ("../n", "local", None, None, None, "n"),
    ("./foo:bar", "local", None, None, None, "foo:bar"),
    ("x.bundle", "local", None, None, None, "x.bundle"),
    ("C:/r/n.git", "ssh", "c", None, "r", "n"),
    ("host.example:/o/n.git", "ssh", "host.example", None, "o", "n"),
    ("ssh://git@host.example:22/o/n", "ssh", "host.example", None, "o", "n"),
    ("https://host.example:443/o/n", "https", "host.example", None, "o", "n"),
    ("https://me@corp:s3@cr@host.example/o/n", "https", "host.example", None, "o", "n"),
    ("ssh://git@[Host.Example]:2222/o/n", "ssh", "host.example", 2222, "o", "n"),
    ("[git@Host.Example]:o/n", "ssh", "host.example", None, "o", "n"),
]

REJECTED = [
    "",
    " https://host.example/o/n",
    "https://host.example/o/n\n",
    "https://host.example/ow%2Fner/n",
    "https://host.example/o/../n",
    "https://host.example/o/%2e%2e/n",
    "https://host.example/o/n.git?x=1",
    "https://host.example/o/n#main",
    "https://host.example?x=1/o/n",
    "https://host.example#main/o/n",
    "ssh://git@[no host]/o/n",
    "ssh://git@[-oProxyCommand=x]/o/n",
    "git@-oProxyCommand=x:o/n",
    "-oProxyCommand=x@host.example:o/n",
    "[-x@host.example:22]:o/n",
    "https://host.example/o/n%00",
    "https://host.example/",
    "https:///o/n",
    "https://host.example:99999/o/n",
    "https://host.example:8o/o/n",
    "ssh://-oProxyCommand=x/o/n",
    "ssh://-x@host.example/o/n",
    "-x:o/n",
    "ext::sh -c touch% pwned",
    "persistent-https::host.example/o/n",
    "persistent-https://host.example/o/n",
    "ftp://host.example/o/n",
    "git@host.example:o/../n",
]


@pytest.mark.parametrize("row", ROWS, ids=[row[0] for row in ROWS])
def test_a_remote_url_names_the_repository_git_would_dial(row):
    text, *expected = row
    url = parse(text)
    assert tuple(expected) == (url.kind, url.host, url.port, url.owner, url.name)


@pytest.mark.parametrize("text", REJECTED, ids=repr)
def test_a_remote_url_that_smuggles_anything_is_refused(text):
    with pytest.raises(UsageError) as caught:
        parse(text)
    assert caught.value.why
    assert caught.value.fix


@pytest.mark.parametrize("text", [row[0] for row in ROWS] + REJECTED, ids=repr)
def test_no_user_and_no_password_is_ever_shown(text):
    try:
        shown = parse(text).shown
    except UsageError as refused:
        shown = f"{refused.what} {refused.why}"
    for hidden in ("git@", "tok", "user", "corp", "profile", "me@", "s3@cr"):
        assert hidden not in shown.removeprefix("the remote URL"), shown


def test_a_drive_letter_is_local_on_windows_only():
    assert parse("C:/r/n.git", windows=True).kind == "local"
    assert parse("C:/r/n.git").host == "c"


def test_a_base_path_leaves_the_owner():
    assert under(parse("https://host.example/gitea/o/n"), "/gitea/").slug == "o/n"
    assert under(parse("https://host.example/giteax/o/n"), "gitea").slug == "giteax/o/n"
    assert under(parse("https://host.example/scm/n"), "scm").owner is None


def test_a_folder_that_looks_like_a_port_is_named_and_others_are_not():
    assert "ssh://host.example:2222/o/n.git" in parse("git@host.example:2222/o/n.git").warning
    assert parse("git@host.example:o/n.git").warning == ""


def test_plain_text_http_is_warned_of():
    assert "plain text" in parse("http://host.example/o/n").warning


def test_a_path_on_a_plain_ssh_server_is_no_forge():
    assert parse("git@host.example:/srv/git/o/n.git").plain_server
    assert not parse("git@github.com:/o/n.git").plain_server


def test_git_protocol_is_read_only():
    with pytest.raises(UsageError, match="cannot be pushed to"):
        require_pushable(parse("git://host.example/o/n"))
    require_pushable(parse("https://host.example/o/n"))


def test_owner_and_name_compare_without_case():
    assert same_repository(parse("https://HOST.example/O/N"), parse("git@host.example:o/n.git"))
    assert not same_repository(parse("https://host.example/o/n"), parse("https://other.example/o/n"))
