"""What survives a restart of the server: pipelines, their files and logs, in one SQLite file.

Pipelines are kept as whole JSON records beside the columns that lists filter by. A loaded pipeline
is one object for as long as anybody holds it, so the runner and the API see the same.
"""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from weakref import WeakValueDictionary

from homelab.lab.woodpecker.records import ConfigFile, Cron, LogLine, Pipeline, from_json, to_json
from homelab.lab.woodpecker.states import State, Trigger

_SCHEMA = """
CREATE TABLE IF NOT EXISTS pipelines (
    id INTEGER PRIMARY KEY AUTOINCREMENT, repo_id INTEGER NOT NULL, number INTEGER NOT NULL, status TEXT NOT NULL,
    event TEXT NOT NULL, branch TEXT NOT NULL, ref TEXT NOT NULL, created INTEGER NOT NULL, record TEXT NOT NULL,
    UNIQUE (repo_id, number));
CREATE TABLE IF NOT EXISTS configs (
    pipeline_id INTEGER NOT NULL, name TEXT NOT NULL, text TEXT NOT NULL, UNIQUE (pipeline_id, name));
CREATE TABLE IF NOT EXISTS log_lines (
    id INTEGER PRIMARY KEY, step_id INTEGER NOT NULL, line INTEGER NOT NULL, time INTEGER NOT NULL,
    data BLOB NOT NULL, type INTEGER NOT NULL);
CREATE INDEX IF NOT EXISTS log_lines_of_a_step ON log_lines (step_id);
CREATE TABLE IF NOT EXISTS counters (name TEXT PRIMARY KEY, last INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS crons (id INTEGER PRIMARY KEY AUTOINCREMENT, repo_id INTEGER NOT NULL, record TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS settings (repo_id INTEGER PRIMARY KEY, record TEXT NOT NULL);
"""


@dataclass(frozen=True, slots=True)
class Filter:
    """What a pipeline list may be narrowed by; ``ref`` is an SQL LIKE pattern, as upstream's is."""

    branch: str = ""
    events: tuple[Trigger, ...] = ()
    status: State | None = None
    ref: str = ""
    before: float | None = None
    after: float | None = None

    def clauses(self) -> list[tuple[str, list[Any]]]:
        """Return each condition with its values."""
        marks = ", ".join("?" * len(self.events))
        candidates: list[tuple[bool, str, list[Any]]] = [
            (bool(self.branch), "branch = ?", [self.branch]),
            (bool(self.events), f"event IN ({marks})", list(self.events)),
            (self.status is not None, "status = ?", [self.status]),
            (bool(self.ref), "ref LIKE ?", [f"%{self.ref}%"]),
            (self.before is not None, "created < ?", [self.before]),
            (self.after is not None, "created > ?", [self.after]),
        ]
        return [(clause, values) for wanted, clause, values in candidates if wanted]


class Store:
    """The database, used from the server's one thread."""

    def __init__(self, path: Path) -> None:
        """Open ``path``, creating what is missing."""
        self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._db.executescript(f"PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF; {_SCHEMA}")
        self._loaded: WeakValueDictionary[int, Pipeline] = WeakValueDictionary()

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def next_id(self, kind: str) -> int:
        """Return the next number of a counter that never goes back: ``workflow`` or ``step``."""
        sql = "INSERT INTO counters VALUES (?, 1) ON CONFLICT (name) DO UPDATE SET last = last + 1 RETURNING last"
        (number,) = self._db.execute(sql, (kind,)).fetchone()
        return int(number)

    def insert(self, pipeline: Pipeline) -> Pipeline:
        """Keep a new pipeline, giving it an id and the repository's next number."""
        sql = "SELECT coalesce(max(number), 0) + 1 FROM pipelines WHERE repo_id = ?"
        (pipeline.number,) = self._db.execute(sql, (pipeline.repo_id,)).fetchone()
        pipeline.created = pipeline.created or int(time.time())
        pipeline.updated = pipeline.created
        sql = (
            "INSERT INTO pipelines (repo_id, number, status, event, branch, ref, created, record)"
            " VALUES (?, ?, '', '', '', '', 0, '') RETURNING id"
        )
        (pipeline.id,) = self._db.execute(sql, (pipeline.repo_id, pipeline.number)).fetchone()
        self._loaded[pipeline.id] = pipeline
        self.save(pipeline)
        return pipeline

    def save(self, pipeline: Pipeline) -> None:
        """Write the aggregate as it is now; a deleted one stays deleted."""
        pipeline.updated = int(time.time())
        sql = "UPDATE pipelines SET status = ?, event = ?, branch = ?, ref = ?, created = ?, record = ? WHERE id = ?"
        columns = (pipeline.status, pipeline.event, pipeline.branch, pipeline.ref, pipeline.created)
        self._db.execute(sql, (*columns, json.dumps(to_json(pipeline)), pipeline.id))

    def delete(self, pipeline: Pipeline) -> None:
        """Forget a pipeline with its files and logs; its number becomes free again."""
        for step in [step for flow in pipeline.workflows for step in flow.steps]:
            self.delete_log(step.id)
        self._db.execute("DELETE FROM configs WHERE pipeline_id = ?", (pipeline.id,))
        self._db.execute("DELETE FROM pipelines WHERE id = ?", (pipeline.id,))

    def pipeline(self, repo_id: int, number: int) -> Pipeline | None:
        """Return one pipeline by repository and number."""
        found = self._select("repo_id = ? AND number = ?", [repo_id, number])
        return found[0] if found else None

    def pipelines(self, repo_id: int, narrow: Filter, *, limit: int, offset: int) -> list[Pipeline]:
        """Return a page of a repository's pipelines, newest number first."""
        clauses = [("repo_id = ?", [repo_id]), *narrow.clauses()]
        where = " AND ".join(clause for clause, _ in clauses)
        values = [value for _, given in clauses for value in given]
        return self._select(f"{where} ORDER BY number DESC LIMIT ? OFFSET ?", [*values, limit, offset])

    def active(self) -> list[Pipeline]:
        """Return every pipeline that is pending, running or blocked, oldest first."""
        return self._select("status IN ('pending', 'running', 'blocked') ORDER BY id", [])

    def _select(self, where: str, values: list[Any]) -> list[Pipeline]:
        rows = self._db.execute(f"SELECT id, record FROM pipelines WHERE {where}", values).fetchall()
        return [self._load(pipeline_id, record) for pipeline_id, record in rows]

    def _load(self, pipeline_id: int, record: str) -> Pipeline:
        known = self._loaded.get(pipeline_id)
        if known is None:
            known = self._loaded[pipeline_id] = from_json(json.loads(record))
        return known

    def keep_configs(self, pipeline: Pipeline, files: Iterable[ConfigFile]) -> None:
        """Remember the files this pipeline was made from."""
        rows = [(pipeline.id, file.name, file.text) for file in files]
        self._db.executemany("INSERT OR REPLACE INTO configs VALUES (?, ?, ?)", rows)

    def configs(self, pipeline: Pipeline) -> list[ConfigFile]:
        """Return the files this pipeline was made from, by name."""
        sql = "SELECT name, text FROM configs WHERE pipeline_id = ? ORDER BY name"
        return [ConfigFile(name, text) for name, text in self._db.execute(sql, (pipeline.id,))]

    def append_log(self, lines: Iterable[LogLine]) -> None:
        """Keep lines in the order they are given."""
        rows = [(line.step_id, line.line, line.time, line.data, line.type) for line in lines]
        sql = "INSERT INTO log_lines (step_id, line, time, data, type) VALUES (?, ?, ?, ?, ?)"
        self._db.execute("BEGIN")
        self._db.executemany(sql, rows)
        self._db.execute("COMMIT")

    def log(self, step_id: int) -> list[LogLine]:
        """Return a step's lines in the order they came, which upstream does not sort either."""
        sql = "SELECT id, step_id, line, time, data, type FROM log_lines WHERE step_id = ? ORDER BY id"
        return [LogLine(*row) for row in self._db.execute(sql, (step_id,))]

    def delete_log(self, step_id: int) -> None:
        """Forget a step's lines."""
        self._db.execute("DELETE FROM log_lines WHERE step_id = ?", (step_id,))

    def keep_cron(self, cron: Cron) -> Cron:
        """Write a cron as it is now; a new one gets its id."""
        if not cron.id:
            sql = "INSERT INTO crons (repo_id, record) VALUES (?, '') RETURNING id"
            (cron.id,) = self._db.execute(sql, (cron.repo_id,)).fetchone()
        self._db.execute("UPDATE crons SET record = ? WHERE id = ?", (json.dumps(asdict(cron)), cron.id))
        return cron

    def crons(self, repo_id: int) -> list[Cron]:
        """Return a repository's crons, oldest first."""
        rows = self._db.execute("SELECT record FROM crons WHERE repo_id = ? ORDER BY id", (repo_id,))
        return [Cron(**json.loads(record)) for (record,) in rows]

    def delete_cron(self, cron: Cron) -> None:
        """Forget a cron."""
        self._db.execute("DELETE FROM crons WHERE id = ?", (cron.id,))

    def keep_settings(self, repo_id: int, changes: dict[str, Any]) -> None:
        """Remember settings of a repository, over those that were kept before."""
        record = json.dumps({**self.settings(repo_id), **changes})
        self._db.execute("INSERT OR REPLACE INTO settings VALUES (?, ?)", (repo_id, record))

    def settings(self, repo_id: int) -> dict[str, Any]:
        """Return the settings of a repository that were changed while a server ran."""
        row = self._db.execute("SELECT record FROM settings WHERE repo_id = ?", (repo_id,)).fetchone()
        return dict(json.loads(row[0])) if row else {}
