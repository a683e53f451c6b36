"""Real repositories in temporary folders."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from homelab.git.runner import Git


@pytest.fixture
def git(tmp_path: Path) -> Git:
    """git in a fresh repository on ``main`` with one commit."""
    root = tmp_path / "clone"
    root.mkdir()
    git = Git(root, env=os.environ)
    git.text("init", "--quiet", "--initial-branch=main", ".")
    git.text("commit", "--quiet", "--allow-empty", "--message=first")
    return git
