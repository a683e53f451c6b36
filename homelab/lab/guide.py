"""What the lab writes for its user: the configuration file and the lines that make a terminal use it. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from shlex import quote

from homelab.lab.layout import CI_HOST, GIT_HOST, REGISTRY_HOST, VAULT_FIELD, VAULT_HOST, VAULT_PATH, Layout


def config_text(lab: Layout, *, dial: str, ca_file: str, registry: str) -> str:
    """Return the user's configuration file: the same keys one's own servers need."""
    quoted = {"dial": json.dumps(dial), "ca": json.dumps(ca_file), "kubeconfig": json.dumps(str(lab.kubeconfig))}
    return f"""\
# Written by `homelab lab up`. One's own servers are configured with the same keys.
[ci.lab]
kind = "woodpecker"
url = "https://{CI_HOST}"
dial = {quoted["dial"]}
ca_file = {quoted["ca"]}
token_vault = "secret/{VAULT_PATH}#{VAULT_FIELD}"
forges = ["{GIT_HOST}"]

[registry."{REGISTRY_HOST}"]
url = "{registry}"

[vault]
addr = "https://{VAULT_HOST}"
dial = {quoted["dial"]}
ca_file = {quoted["ca"]}

[kubernetes]
kubeconfig = {quoted["kubeconfig"]}
context = "lab"
"""


def curl_text(*, dial: str, ca_file: str, token: str) -> str:
    """Return a configuration for curl(1) that asks the lab's CI server by its public name. Holds the CI token."""
    options = {"cacert": ca_file, "connect-to": f"{CI_HOST}:443:{dial}", "oauth2-bearer": token}
    return "silent\nshow-error\n" + "".join(f"{name} = {json.dumps(value)}\n" for name, value in options.items())


def environment(lab: Layout, *, vault_token: str) -> dict[str, str]:
    """Return the variables that make homelab use this lab. Holds the lab's own Vault token."""
    return {"HOMELAB_CONFIG": str(lab.config), "VAULT_TOKEN": vault_token, **kubectl_cache(lab)}


def without_servers(env: Mapping[str, str]) -> dict[str, str]:
    """Return the environment without what points at the user's own servers."""
    theirs = ("HOMELAB_", "VAULT_", "WOODPECKER_", "KUBE", "GIT_")
    kept = {name: value for name, value in env.items() if not name.startswith(theirs)}
    return kept | {name: env[name] for name in ("HOMELAB_OUTPUT",) if name in env}


def kubectl_cache(lab: Layout) -> dict[str, str]:
    """Return the variable that keeps kubectl's cache in the lab's folder; else it stays behind in ``~/.kube``."""
    return {"KUBECACHEDIR": str(lab.part("kubernetes") / "cache")}


def env_text(lab: Layout, vault_token_file: str) -> str:
    """Return shell lines to source; the token is read from its file, not written here."""
    unset = "unset HOMELAB_CI_URL HOMELAB_CI_TOKEN WOODPECKER_TOKEN VAULT_ADDR VAULT_NAMESPACE VAULT_CACERT\n"
    return f"""\
{unset}export HOMELAB_CONFIG={quote(str(lab.config))}
export VAULT_TOKEN="$(cat {quote(vault_token_file)})"
export KUBECONFIG={quote(str(lab.kubeconfig))}
export KUBECACHEDIR={quote(kubectl_cache(lab)["KUBECACHEDIR"])}
"""


def deployment(image: str) -> str:
    """Return the sample's Deployment as JSON: two pods, replaced one after the other."""
    labels = {"app.kubernetes.io/name": "hello"}
    container = {"name": "hello", "image": image, "ports": [{"name": "http", "containerPort": 8080}]}
    return json.dumps(
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": "hello", "namespace": "demo", "labels": labels},
            "spec": {
                "replicas": 2,
                "selector": {"matchLabels": labels},
                "template": {"metadata": {"labels": labels}, "spec": {"containers": [container]}},
            },
        }
    )
