"""The lines a terminal sources to use a lab."""

from __future__ import annotations

import subprocess
from pathlib import Path

from homelab.lab.guide import env_text, environment
from homelab.lab.layout import Layout


def test_kubectl_keeps_its_cache_in_the_lab_and_not_in_the_home(tmp_path: Path) -> None:
    lab = Layout(tmp_path)
    cache = environment(lab, vault_token="v")["KUBECACHEDIR"]
    assert Path(cache).is_relative_to(tmp_path)
    assert f"export KUBECACHEDIR={cache}" in env_text(lab, "token-file").splitlines()


def test_a_shell_reads_a_folder_with_a_quote_and_a_blank_as_it_is(tmp_path: Path) -> None:
    lab = Layout(tmp_path / "it's $HOME")
    script = env_text(lab, "/dev/null") + 'printf %s "$KUBECONFIG"'
    assert subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=True).stdout == str(
        lab.kubeconfig
    )
