"""Who we are and where the API is: kubeconfig, in-cluster account, exec plugins.

Home of ``kubernetes.config``. Only the credentials and the connection pool are taken from the
library, never its models: its pool and ``auth_settings`` are the same from 35 to 37, its
``call_api`` is not. Layer: the Kubernetes adapter; loaded only by ``homelab.kube.cluster``.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import urllib3
from kubernetes import config  # noqa: TID253 -- this is its home, loaded when a cluster is first asked
from kubernetes.client.configuration import Configuration  # noqa: TID253 -- likewise
from kubernetes.client.rest import RESTClientObject  # noqa: TID253 -- likewise
from kubernetes.config import exec_provider, incluster_config, kube_config  # noqa: TID253 -- likewise

from homelab.errors import CredentialsError, TokenMissing, UsageError
from homelab.kube.plugins import Plugins, within
from homelab.settings.model import KubernetesAccess

#: An exec plugin may ask an identity provider; it may not keep us for ever.
PLUGIN_SECONDS = 60.0
IN_CLUSTER = "in-cluster"
#: The library is typed in part, and differently from version to version.
_loading: Any = config
_account: Any = incluster_config
_exec: Any = exec_provider
_plugins = Plugins()
_exec.subprocess = _plugins


@dataclass(slots=True)
class Channel:
    """A connection pool to one API server, and what proves who we are."""

    name: str
    namespace: str
    host: str
    pool: urllib3.PoolManager
    #: Returns the Authorization header's value, refreshed when due; None: a client certificate, or nobody.
    authorization: Callable[[], str | None]
    #: The user's own kubeconfig switched the certificate check off.
    unchecked: bool = False


def open_channel(
    access: KubernetesAccess,
    env: Mapping[str, str],
    *,
    account: Path = Path(incluster_config.SERVICE_TOKEN_FILENAME),
    plugin_seconds: float = PLUGIN_SECONDS,
) -> Channel:
    """Return the channel kubectl would take: kubeconfig first, then the pod's own account.

    Raises UsageError for a broken kubeconfig or an unknown context (it lists them), TokenMissing
    where there is neither kubeconfig nor account, CredentialsError when an exec plugin fails or
    takes longer than ``plugin_seconds``.
    """
    paths = kubeconfig_paths(access, env)
    configuration = Configuration()
    if any(path.exists() for path in paths):
        name, namespace = _load_kubeconfig(configuration, paths, access.context, plugin_seconds)
    elif access.kubeconfig is None and env.get(incluster_config.SERVICE_HOST_ENV_NAME):
        name, namespace = _load_account(configuration, env, account)
    else:
        raise TokenMissing(
            "no kubeconfig found",
            why="looked at " + ", ".join(str(path) for path in paths) + "; this is not a pod either",
            fix="set KUBECONFIG, or [kubernetes] kubeconfig in the configuration file",
        )
    configuration.retries = False
    # Many watches at once, each on its own connection; urllib3 would warn on stderr about each one too many.
    configuration.connection_pool_maxsize = 64
    if not configuration.verify_ssl:
        # Said once by us instead of by urllib3 on stderr at every request.
        urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)
    return Channel(
        unchecked=not configuration.verify_ssl,
        name=name,
        namespace=namespace,
        host=configuration.host,
        pool=RESTClientObject(configuration).pool_manager,
        authorization=lambda: _authorization(configuration, name, plugin_seconds),
    )


def kubeconfig_paths(access: KubernetesAccess, env: Mapping[str, str]) -> list[Path]:
    """Return the kubeconfig files in order: the setting, ``KUBECONFIG`` (a path list), ``~/.kube/config``."""
    home = Path(env.get("HOME") or Path.home())
    if access.kubeconfig is not None:
        return [access.kubeconfig.expanduser()]
    listed = [part for part in env.get("KUBECONFIG", "").split(kube_config.ENV_KUBECONFIG_PATH_SEPARATOR) if part]
    if not listed:
        return [home / ".kube" / "config"]
    return [home / part[2:] if part.startswith("~/") else Path(part) for part in listed]


def _load_kubeconfig(
    configuration: Configuration, paths: list[Path], wanted: str | None, seconds: float
) -> tuple[str, str]:
    joined = kube_config.ENV_KUBECONFIG_PATH_SEPARATOR.join(str(path) for path in paths)
    contexts, current = _contexts(paths)
    chosen = wanted or current
    if chosen is None or chosen not in contexts:
        raise UsageError(
            f"kubeconfig {joined}: " + (f"no context named {chosen}" if chosen else "no current context"),
            why="contexts there: " + (", ".join(contexts) or "none"),
            fix="choose one: --context NAME, or kubectl config use-context NAME",
        )
    heard: list[str] = []
    try:
        with _listening(heard):
            within(
                seconds,
                lambda: _loading.load_kube_config(
                    config_file=joined, context=chosen, client_configuration=configuration
                ),
                _plugins,
            )
    except (config.ConfigException, ValueError, OSError, KeyError, TypeError) as error:
        raise _broken(joined, str(error)) from error
    if heard and not configuration.api_key and not configuration.cert_file:
        raise CredentialsError(
            f"{chosen}: the kubeconfig's exec plugin gave no credentials",
            why=heard[-1][:256],
            fix=f"run it by hand: kubectl --context {chosen} auth whoami",
        )
    return chosen, contexts[chosen]


def _contexts(paths: list[Path]) -> tuple[dict[str, str], str | None]:
    """Return all contexts with their namespaces, and the current one.

    As kubectl does it: the first file that names something wins.
    """
    found: dict[str, str] = {}
    current: str | None = None
    for path in paths:
        if not path.exists():
            continue
        value = _parsed(path)
        for item in value.get("contexts") or []:
            if not isinstance(item, dict) or not isinstance(item.get("context"), dict):
                raise _broken(str(path), "an item of contexts is not a context")
            found.setdefault(str(item.get("name")), str(item["context"].get("namespace") or "default"))
        current = current or value.get("current-context") or None
    return found, current


def _parsed(path: Path) -> dict[str, Any]:
    """Return a kubeconfig file as it is. Raises UsageError where it is not one."""
    import yaml  # noqa: PLC0415 -- only kubernetes.config brings it, and only here it is named

    try:
        value = yaml.safe_load(path.read_text())
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise _broken(str(path), str(error)) from error
    if not isinstance(value, dict):
        raise _broken(str(path), "it is empty or not a mapping")
    return value


def _broken(where: str, why: str) -> UsageError:
    return UsageError(
        f"kubeconfig {where} cannot be used",
        why=" ".join(why.split())[:256],
        fix="kubectl config view shows what kubectl makes of it",
    )


def _load_account(configuration: Configuration, env: Mapping[str, str], account: Path) -> tuple[str, str]:
    try:
        _account.InClusterConfigLoader(
            token_filename=str(account), cert_filename=str(account.with_name("ca.crt")), environ=env
        ).load_and_set(configuration)
    except (config.ConfigException, OSError) as error:
        raise TokenMissing(
            "the pod's service account cannot be read",
            why=str(error),
            fix="give the pod a serviceAccountName with automountServiceAccountToken: true",
        ) from error
    named = account.with_name("namespace")
    return IN_CLUSTER, (named.read_text().strip() if named.exists() else "default")


def _authorization(configuration: Configuration, name: str, seconds: float) -> str | None:
    """Return the header's value; the library asks its source again when a stamp says it expired."""
    heard: list[str] = []
    try:
        with _listening(heard):
            settings = within(seconds, configuration.auth_settings, _plugins)
    except (config.ConfigException, OSError) as error:
        raise CredentialsError(
            f"{name}: the credentials could not be refreshed",
            why=str(error)[:256],
            fix=f"kubectl --context {name} auth whoami",
        ) from error
    value = (settings.get("BearerToken") or {}).get("value")
    return str(value) if value else None


class _Ear(logging.Handler):
    """Keeps what the library says through the root logger instead of raising it."""

    def __init__(self, heard: list[str]) -> None:
        super().__init__()
        self._heard = heard

    def emit(self, record: logging.LogRecord) -> None:
        self._heard.append(record.getMessage())


@contextmanager
def _listening(heard: list[str]) -> Iterator[None]:
    """Collect messages: a failing exec plugin is only logged, and would print itself on stderr."""
    root, ear = logging.getLogger(), _Ear(heard)
    root.addHandler(ear)
    try:
        yield
    finally:
        root.removeHandler(ear)
