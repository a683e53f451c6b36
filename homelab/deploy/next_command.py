"""The next command to type, made for the cluster it is about. Pure; layer: the deploy domain, above its judgement."""

from __future__ import annotations

from homelab.deploy.judgement import Expectation

#: Where the words of an expectation's command name its target: ``homelab deploy wait NS/NAME@CONTEXT``.
_TARGET = 3


def in_its_cluster(hint: str, expectation: Expectation) -> str:
    """Return ``hint`` with the kubeconfig context that was typed for the target, if one was.

    Without it the command would look at the current context's cluster, which is another.
    """
    typed = "".join(expectation.command[_TARGET : _TARGET + 1])
    slug, at, context = typed.partition("@")
    if not at or "@" in hint or "--context" in hint:
        return hint
    if hint.startswith("kubectl "):
        return hint.replace("kubectl ", f"kubectl --context {context} ", 1)
    if hint.startswith("flux "):
        return f"{hint} --context {context}"
    words = hint.split(" ")
    if words[:2] == ["homelab", "deploy"] and slug in words:
        words[words.index(slug)] = typed
    return " ".join(words)
