from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from homelab.lab.demo import _end, _goodbye
from homelab.lab.guide import without_servers
from homelab.lab.layout import Layout


def test_nothing_of_the_users_own_servers_reaches_the_demo() -> None:
    own = {"VAULT_TOKEN": "t", "WOODPECKER_TOKEN": "t", "HOMELAB_CI_URL": "u", "KUBECONFIG": "k", "GIT_DIR": "g"}
    assert without_servers({**own, "PATH": "/bin", "HOMELAB_OUTPUT": "plain"}) == {
        "PATH": "/bin",
        "HOMELAB_OUTPUT": "plain",
    }


def test_a_kept_lab_says_how_to_use_and_end_it_though_its_folder_has_a_blank(tmp_path: Path) -> None:
    lab = Layout(tmp_path / "my lab")
    said = _goodbye(lab, keep=True)
    assert said == f"look around: . '{lab.env}' && cd '{lab.clone}'; end it: homelab lab down --dir '{lab.root}'"


def test_a_command_that_ends_by_itself_is_not_signalled() -> None:
    deaf = "import signal, time; signal.signal(2, lambda *_: exit(9)); print('up', flush=True); time.sleep(0.3)"
    with subprocess.Popen([sys.executable, "-c", deaf], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        _end(process)
        assert process.returncode == 0
