"""Fixtures every test may use: a virtual clock, a list of events, a home that is not the user's."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from homelab.events import Event
from tests.fakes import FakeClock


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--e2e", action="store_true", help="run the tests in tests/e2e, which start real servers")


def pytest_configure() -> None:
    """Heed Ctrl-C even where a shell started us in the background: the children that tests interrupt inherit it."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Outside tests opt in, and run last."""
    outside = [item for item in items if "e2e" in item.path.parts]
    if not config.getoption("--e2e"):
        for item in outside:
            item.add_marker(pytest.mark.skip(reason="needs --e2e"))
    items[:] = [item for item in items if item not in outside] + outside


@pytest.fixture(autouse=True)
def _home_is_not_the_users(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    for name in ("XDG_CONFIG_HOME", "XDG_STATE_HOME", "HOMELAB_CONFIG", "KUBECONFIG", "VAULT_ADDR", "VAULT_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    for role in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{role}_NAME", "Test Person")
        monkeypatch.setenv(f"GIT_{role}_EMAIL", "test@example.org")


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def events() -> list[Event]:
    return []
