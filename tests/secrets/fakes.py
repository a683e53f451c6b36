"""A Vault that answers from a table, typed against our port."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from homelab.errors import HomelabError, HttpStatus
from homelab.http.port import Answer, JsonHttp, Params, ServerEvent, Site
from homelab.secret import Secret

HEALTHY = {"initialized": True, "sealed": False, "standby": False}


def refused(status: int, body: str = '{"errors":["permission denied"]}') -> HttpStatus:
    return HttpStatus(f"Vault answered {status}", status=status, body=body, why="-", fix="-")


class FakeVault:
    """Hands out clients; remembers which token each path was asked with. A list is answered one by one."""

    def __init__(self, answers: Mapping[str, Any]) -> None:
        self.answers: dict[str, Any] = {"/v1/sys/health": HEALTHY, **answers}
        self.asked: list[tuple[str, Secret | None]] = []
        self.sites: list[Site] = []
        self.closed = 0

    def __call__(self, site: Site, token: Secret | None) -> JsonHttp:
        self.sites.append(site)
        return FakeClient(self, site, token)


class FakeClient:
    ahead: float | None = None

    def __init__(self, vault: FakeVault, site: Site, token: Secret | None) -> None:
        self.vault, self.site, self.token = vault, site, token

    def get(self, path: str, *, params: Params | None = None, budget: float | None = None) -> Any:
        self.vault.asked.append((path, self.token))
        answer = self.vault.answers.get(path, refused(404, '{"errors":[]}'))
        if isinstance(answer, list):
            answer = answer.pop(0)
        if isinstance(answer, HomelabError):
            raise answer
        return answer

    def fetch(self, path: str, *, params: Params | None = None, budget: float | None = None) -> Answer:
        raise NotImplementedError

    def send(
        self, method: str, path: str, *, json: Any = None, params: Params | None = None, safe_to_repeat: bool = False
    ) -> Answer:
        raise NotImplementedError

    @contextmanager
    def stream(
        self, path: str, *, idle: float, headers: Mapping[str, str] | None = None
    ) -> Iterator[Iterator[ServerEvent]]:
        raise NotImplementedError
        yield

    def close(self) -> None:
        self.vault.closed += 1
