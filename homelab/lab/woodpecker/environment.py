"""The ``CI_*`` variables of a step. Pure. Source: woodpecker pipeline/frontend/metadata/environment.go."""

from __future__ import annotations

import json
from urllib.parse import urlsplit

from homelab.lab.woodpecker.config import Config, Repository
from homelab.lab.woodpecker.records import Pipeline

_MAX_FILES = 500


def pipeline_variables(config: Config, repository: Repository, pipeline: Pipeline) -> dict[str, str]:
    """Return what is the same for every step of a pipeline; empty values are left out, as upstream does."""
    number, base = str(pipeline.number), config.host
    tag = pipeline.ref.removeprefix("refs/tags/") if pipeline.ref.startswith("refs/tags/") else ""
    source, _, target = pipeline.refspec.partition(":")
    values = {
        "CI": "woodpecker",
        "CI_SYSTEM_NAME": "woodpecker",
        "CI_SYSTEM_URL": base,
        "CI_SYSTEM_HOST": urlsplit(base).netloc,
        "CI_SYSTEM_VERSION": pipeline.version,
        "CI_REPO": repository.full_name,
        "CI_REPO_NAME": repository.name,
        "CI_REPO_OWNER": repository.owner,
        "CI_REPO_REMOTE_ID": str(repository.id),
        "CI_REPO_URL": repository.forge_url,
        "CI_REPO_CLONE_URL": repository.clone_url or str(repository.path),
        "CI_REPO_CLONE_SSH_URL": repository.clone_url_ssh,
        "CI_REPO_DEFAULT_BRANCH": repository.default_branch,
        "CI_REPO_PRIVATE": str(repository.visibility != "public").lower(),
        "CI_PIPELINE_NUMBER": number,
        "CI_PIPELINE_PARENT": str(pipeline.parent),
        "CI_PIPELINE_EVENT": pipeline.event.value,
        "CI_PIPELINE_URL": f"{base}/repos/{repository.id}/pipeline/{number}",
        "CI_PIPELINE_FORGE_URL": pipeline.forge_url,
        "CI_PIPELINE_DEPLOY_TARGET": pipeline.deploy_to,
        "CI_PIPELINE_CREATED": str(pipeline.created),
        "CI_PIPELINE_STARTED": str(pipeline.started),
        "CI_PIPELINE_AUTHOR": pipeline.author,
        "CI_PIPELINE_RERUNS": str(pipeline.rerun_count or ""),
        "CI_PIPELINE_FILES": json.dumps(pipeline.changed_files) if len(pipeline.changed_files) <= _MAX_FILES else "",
        "CI_COMMIT_SHA": pipeline.commit,
        "CI_COMMIT_REF": pipeline.ref,
        "CI_COMMIT_REFSPEC": pipeline.refspec,
        "CI_COMMIT_MESSAGE": pipeline.message,
        "CI_COMMIT_BRANCH": pipeline.branch,
        "CI_COMMIT_TIMESTAMP": str(pipeline.timestamp),
        "CI_COMMIT_AUTHOR": pipeline.author,
        "CI_COMMIT_AUTHOR_EMAIL": pipeline.author_email,
        "CI_COMMIT_TAG": tag,
        "CI_COMMIT_SOURCE_BRANCH": source if pipeline.event.is_pull else "",
        "CI_COMMIT_TARGET_BRANCH": target if pipeline.event.is_pull else "",
    }
    return {name: value for name, value in values.items() if value}
