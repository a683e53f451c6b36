"""The CI files at a commit, and whether they plainly want no run of it. Layer: ci, above the ports."""

from __future__ import annotations

from dataclasses import dataclass

from homelab.ci.choice import ANY
from homelab.ci.model import Facts
from homelab.ci.port import CiRepository
from homelab.ci.request import CiRequest
from homelab.ci.when import Push, excluded
from homelab.errors import UsageError
from homelab.git.port import Repository

_SUFFIXES = (".yaml", ".yml")


@dataclass(frozen=True, slots=True)
class Configured:
    """The files that the server reads at a commit."""

    files: tuple[str, ...] = ()
    #: Why none of them wants this run, in words; "" where one does, or where it cannot be told.
    excluded: str = ""
    #: The first file whose conditions could not be read to an end, "" for none.
    unread: str = ""


def configured(ci: CiRepository, facts: Facts, repository: Repository, request: CiRequest) -> Configured:
    """Return the files of the first place that has any, read as the server would."""
    files = next((found for path in facts.config_paths if (found := _files(repository, request.oid, path))), ())
    if not files or ci.kind != "woodpecker" or request.choice.event == ANY:
        return Configured(files)
    push = _push(repository, request)
    why: list[str] = []
    for file in files:
        text = repository.text(request.oid, file)
        said = excluded(text, push) if text is not None else None
        if not said:
            return Configured(files, unread=file if said is None else "")
        why.append(f"{file} {said}")
    return Configured(files, excluded="; ".join(why[:2]))


def _files(repository: Repository, oid: str, path: str) -> tuple[str, ...]:
    """Return the file, or the folder's files that are configuration (woodpecker server/services/config/forge.go)."""
    names = [name for name in repository.entries(oid, path) if name.endswith(_SUFFIXES)]
    if names:
        return tuple(f"{path}/{name}" for name in sorted(names))
    return (path,) if repository.text(oid, path) is not None else ()


def _push(repository: Repository, request: CiRequest) -> Push:
    """Return what conditions look at; of a push whose begin is not known, the paths of its last commit."""
    choice = request.choice
    branch = choice.branch or (choice.target if choice.landed else "")
    changed = repository.changed(request.oid, since=request.base or _before(repository, request))
    try:
        commit = repository.commit(request.oid)
        message = f"{commit.subject}\n{commit.body}"
    except UsageError:
        message = ""
    return Push(
        event=choice.event, branch=branch, paths=tuple(changed) if changed is not None else None, message=message
    )


def _before(repository: Repository, request: CiRequest) -> str:
    """Return where the remote's branch was before it came to the commit, as git noted it here; else ""."""
    branch = request.choice.branch or request.choice.target
    ref = f"refs/remotes/{request.remote}/{branch}"
    try:
        moved_here = bool(branch) and repository.resolve(ref) == request.oid
        return repository.resolve(f"{ref}@{{1}}") if moved_here else ""
    except UsageError:
        return ""
