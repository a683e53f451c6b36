"""What a verb may show a person, and where there is none to show it to."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import pytest

from homelab.app import App
from homelab.ci.asked import Asked, Asking
from homelab.console.choose import choose
from homelab.tier import Tier
from homelab.world import World
from tests.fakes import TtyStream

SCREEN = {"DISPLAY": ":0"}


def browser(folder: Path, *, tty: bool, env: dict[str, str]) -> object:
    stream = TtyStream() if tty else io.StringIO()
    world = World(env={"HOME": str(folder), **env}, cwd=folder, stdin=stream, stdout=stream, stderr=stream)
    return Asking(App(world, tier=Tier.READ, renderer=choose(world, "plain", as_json=False)), Asked()).browser()


@pytest.mark.skipif(sys.platform != "linux", reason="other systems need no display to be named")
def test_a_browser_is_opened_on_a_terminal_with_a_screen_and_nowhere_else(tmp_path: Path) -> None:
    assert browser(tmp_path, tty=True, env=SCREEN) is not None
    assert browser(tmp_path, tty=False, env=SCREEN) is None
    assert browser(tmp_path, tty=True, env={}) is None


@pytest.mark.skipif(sys.platform != "linux", reason="as above")
def test_nothing_but_a_web_page_is_opened(tmp_path: Path) -> None:
    show = browser(tmp_path, tty=True, env=SCREEN)

    assert callable(show)
    assert show("file:///etc/passwd") is False
    assert show("--version") is False
