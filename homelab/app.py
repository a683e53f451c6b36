"""The composition root: builds every adapter when first needed, and only here.

Each property says what it depends on. Heavy libraries load inside the functions below and
nowhere above the adapters. Layer: above the adapters, below the domains.
"""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING

from homelab.clock import Clock
from homelab.errors import GitFailed, OutputLost, UsageError
from homelab.events import Emit, Event, Notice
from homelab.outcome import Outcome
from homelab.result import Result
from homelab.tier import Tier
from homelab.world import World

if TYPE_CHECKING:
    from pathlib import Path

    from homelab.console.port import Renderer
    from homelab.git.port import Repository
    from homelab.git.runner import Git
    from homelab.http.port import JsonHttp, Site
    from homelab.kube.port import Cluster
    from homelab.secret import Secret
    from homelab.settings.model import CiServer, Settings
    from homelab.settings.trust import TrustStore


class App:
    """One running verb: its surroundings, its tier, its renderer, and adapters on demand."""

    def __init__(self, world: World, *, tier: Tier, renderer: Renderer, output: str | None = None) -> None:
        """Build nothing yet. ``output`` is the renderer's name as it was asked for."""
        self.world = world
        self.tier = tier
        self.output = output
        self._renderer = renderer
        self._closing = ExitStack()
        #: Seconds of one request to the cluster with all its retries.
        self._cluster_budget = 20.0
        self._quiet = False

    @property
    def emit(self) -> Emit:
        """The event stream's upper end."""
        return _nobody if self._quiet else self._renderer.event

    @property
    def clock(self) -> Clock:
        """The clock of the surroundings."""
        return self.world.clock

    def finish(self, result: Result) -> int:
        """Render ``result`` and return its exit code.

        Raises OutputLost where the whole use of a verb was to be read. What was changed, or found red, stays so.
        """
        try:
            self._renderer.result(result)
        except OutputLost as lost:
            if self.tier is Tier.READ and result.outcome is Outcome.DONE:
                raise
            self.emit(Notice(about="stdout", text=f"{lost.what}: {lost.why}"))
            self._renderer.result(result)  # its closing line, on stderr
        return int(result.outcome)

    def at(self, folder: Path) -> App:
        """Return this app in another folder: same streams, tier and renderer, closed with it."""
        other = App(replace(self.world, cwd=folder), tier=self.tier, renderer=self._renderer, output=self.output)
        self._closing.callback(other.close)
        return other

    def ask(self, question: str) -> bool:
        """Ask the person at the terminal; False when there is nobody to ask."""
        from homelab.console.ask import ask

        self.yield_terminal()
        return ask(self.world, question)

    def yield_terminal(self) -> None:
        """Take the live view off the terminal, for a program of our own that writes to it next."""
        self._renderer.close()

    def close(self) -> None:
        """Close what was opened, newest first."""
        self._closing.close()

    @cached_property
    def repository(self) -> Repository:
        """The repository of the working directory. Depends on git alone."""
        from homelab.git.repository import open_repository

        return open_repository(self.world.cwd, self.world.env)

    @cached_property
    def git(self) -> Git:
        """The runner for everything that changes or reaches out. Depends on the repository."""
        from homelab.git.runner import Git

        return Git(self.repository.root, env=self.world.env, interactive=self.world.interactive)

    @cached_property
    def settings(self) -> Settings:
        """Everything in force: environment, repository file (when inside one), user file, defaults."""
        from homelab.settings.load import load

        try:
            root = self.repository.root
        except (UsageError, GitFailed):
            root = None
        return load(self.world, root)

    @cached_property
    def trust(self) -> TrustStore:
        """What the owner approved. Depends on the state folder alone."""
        from homelab.settings.trust import TrustStore

        return TrustStore(self.world.state_home / "trust.json")

    def http(self, site: Site, token: Secret | None = None) -> JsonHttp:
        """Return a client of ``site``; it reads only where the verb's tier is READ."""
        from homelab.http.client import Client

        client = Client(
            site,
            token=token,
            clock=self.clock,
            emit=self.emit,
            budget=self.settings.timeouts.http,
            read_only=self.tier is Tier.READ,
            env=self.world.env,
        )
        self._closing.callback(client.close)
        return client

    def certificate_life(self, site: Site) -> tuple[float, float] | None:
        """Return begin and end (Unix seconds) of the certificate at ``site``, None where there is none to see."""
        from homelab.http.certificate import life

        return life(site, env=self.world.env)

    @staticmethod
    def load_adapters() -> None:
        """Import what reaches out, before several threads would do it at once.

        requests, under hvac and kubernetes alike, imports itself in a circle: a second thread meets it half made.
        """
        import homelab.http.client
        import homelab.kube.cluster
        import homelab.secrets.vault  # noqa: F401 -- loading them is the point

    def within(self, seconds: float, *, quiet: bool = False) -> App:
        """Return an app like this one whose fetches, retries included, end within ``seconds``. Closed with this one.

        ``quiet``: its events are dropped, for questions whose answer alone is worth a line.
        """
        world = replace(self.world, env={**self.world.env, "HOMELAB_TIMEOUT_HTTP": f"{seconds:g}"})
        hurried = App(world, tier=self.tier, renderer=self._renderer, output=self.output)
        hurried._cluster_budget = seconds
        hurried._quiet = quiet
        self._closing.callback(hurried.close)
        return hurried

    def ci_token(self, server: CiServer) -> Secret:
        """Return the token bound to ``server``: environment first, then Vault. Raises TokenMissing."""
        from homelab.secrets.chain import find_token

        return find_token(server, env=self.world.env, home=self.world.home, vault=self.settings.vault, http=self.http)

    @cached_property
    def cluster(self) -> Cluster:
        """The Kubernetes API of the chosen context. Depends on the settings."""
        return self.kube(self.settings.kubernetes.context)

    def kube(self, context: str | None) -> Cluster:
        """Return the Kubernetes API of ``context`` (None: the current one); reads only where the tier is READ."""
        from homelab.kube.cluster import connect

        cluster = connect(
            replace(self.settings.kubernetes, context=context),
            env=self.world.env,
            clock=self.clock,
            emit=self.emit,
            read_only=self.tier is Tier.READ,
            budget=self._cluster_budget,
        )
        self._closing.callback(cluster.close)
        return cluster


def _nobody(_event: Event) -> None:
    """Tell nobody."""
