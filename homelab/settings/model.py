"""The shapes of all settings, and nothing that reads them.

Two sides never mix: what the *user* says (servers, addresses, authorities, token sources) and
what a *repository* says (commands, targets, naming). A cloned repository is untrusted: no field
of :class:`RepositorySettings` can choose where a token goes. Durations are seconds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class CiServer:
    """One ``[ci.<name>]``: a CI server and the git hosts whose repositories it builds."""

    name: str
    kind: str
    url: str
    dial: str | None = None
    ca_file: Path | None = None
    #: Environment variables to read the token from, in order.
    token_env: tuple[str, ...] = ()
    #: ``mount/path#field`` in Vault, or None.
    token_vault: str | None = None
    forges: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Forge:
    """One ``[forge."<git host>"]``: what stands behind a git host."""

    host: str
    kind: str | None = None
    api: str | None = None
    base_path: str = ""
    ssh_host: str | None = None
    dial: str | None = None
    ca_file: Path | None = None
    #: Where the forge's own token is, for pull requests and commit statuses; none is used unless named here.
    token_env: tuple[str, ...] = ()
    token_vault: str | None = None


@dataclass(frozen=True, slots=True)
class RegistryServer:
    """One ``[registry."<host>"]``: how a container registry is reached, where its name alone does not say it."""

    #: ``host[:port]`` as images name it.
    host: str
    #: Where it answers; http only where this says so. None: https at its name.
    url: str | None = None
    dial: str | None = None
    ca_file: Path | None = None


@dataclass(frozen=True, slots=True)
class SchemaSource:
    """One ``[schema.<kind>]``: where the schema of a kind of CI file is, when not where it is published."""

    #: ``woodpecker`` or ``actions``.
    kind: str
    url: str | None = None
    dial: str | None = None
    ca_file: Path | None = None


@dataclass(frozen=True, slots=True)
class VaultServer:
    """``[vault]`` and the ``VAULT_*`` variables. ``addr`` None: there is no Vault."""

    addr: str | None = None
    dial: str | None = None
    ca_file: Path | None = None
    namespace: str | None = None


@dataclass(frozen=True, slots=True)
class KubernetesAccess:
    """``[kubernetes]``; None means what kubectl would take."""

    kubeconfig: Path | None = None
    context: str | None = None


@dataclass(frozen=True, slots=True)
class Timeouts:
    """``[timeouts]``, in seconds."""

    #: One JSON fetch with all its retries.
    http: float = 60.0
    #: Until a first pipeline of the commit is seen.
    ci_appear: float = 90.0
    #: Until all pipelines have a verdict.
    ci: float = 3600.0
    #: Until the workload's template names the image.
    deploy_reference: float = 300.0
    #: Until the rollout is proven, from the moment the template names the image.
    deploy: float = 900.0
    #: How long a finished rollout must stay so.
    stable_for: float = 10.0
    #: The verification command.
    verify: float = 3600.0


@dataclass(frozen=True, slots=True)
class DeployTarget:
    """A workload to wait for: ``namespace/name`` of a ``kind``, and which container carries the app."""

    namespace: str
    name: str
    kind: str = "deployment"
    #: Container name; None: every container whose image repository matches ``image``.
    container: str | None = None
    #: Image repository without tag (``registry.example/team/app``); None: exactly one container may match.
    image: str | None = None

    @property
    def slug(self) -> str:
        """``namespace/name``, as it is typed."""
        return f"{self.namespace}/{self.name}"


@dataclass(frozen=True, slots=True)
class RepositorySettings:
    """``.homelab.toml`` of the checked-out commit: its few keys."""

    verify: str | None = None
    target: str | None = None
    strategy: str | None = None
    image: str | None = None
    #: Regular expression over the image tag with ``{sha}``, ``{sha12}``, ``{sha7}``, or None.
    image_match: str | None = None
    ci_event: str | None = None
    deploy: tuple[DeployTarget, ...] = ()


@dataclass(frozen=True, slots=True)
class Value:
    """One effective value for ``config show``: the dotted key, the value as text, where it came from."""

    key: str
    value: str
    #: ``flag``, ``environment NAME``, ``<path>:<line>``, or ``default``.
    origin: str


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything in force, resolved by precedence, with the origin of each value."""

    #: The user's file, whether it exists or not.
    user_file: Path
    #: The repository's file, None outside a repository.
    repository_file: Path | None = None
    ci: Mapping[str, CiServer] = field(default_factory=dict)
    forges: Mapping[str, Forge] = field(default_factory=dict)
    registries: Mapping[str, RegistryServer] = field(default_factory=dict)
    schemas: Mapping[str, SchemaSource] = field(default_factory=dict)
    vault: VaultServer = field(default_factory=VaultServer)
    kubernetes: KubernetesAccess = field(default_factory=KubernetesAccess)
    #: ``[gitops] clone``: a clone of the GitOps repository, to know which commit contains which; None: there is none.
    gitops_clone: Path | None = None
    timeouts: Timeouts = field(default_factory=Timeouts)
    repository: RepositorySettings = field(default_factory=RepositorySettings)
    values: tuple[Value, ...] = ()
