"""What survives a restart: runs, commit statuses and counters in one SQLite file, job logs as files beside it."""

from __future__ import annotations

import json
import sqlite3
import time
from pathlib import Path
from weakref import WeakValueDictionary

from homelab.lab.actions.records import CommitStatus, Run, from_json, to_json

_SCHEMA = """
CREATE TABLE IF NOT EXISTS runs (id INTEGER PRIMARY KEY AUTOINCREMENT, repo_id INTEGER NOT NULL, record TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS statuses (id INTEGER PRIMARY KEY AUTOINCREMENT, repo_id INTEGER NOT NULL, sha TEXT NOT NULL,
    state TEXT NOT NULL, context TEXT NOT NULL, description TEXT NOT NULL, target_url TEXT NOT NULL,
    creator TEXT NOT NULL, created INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS counters (name TEXT PRIMARY KEY, last INTEGER NOT NULL);
"""


class Store:
    """The database and the folder of logs, used from the server's one thread."""

    def __init__(self, folder: Path) -> None:
        """Open what is in ``folder``, creating what is missing."""
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._logs = folder / "logs"
        self._logs.mkdir(exist_ok=True)
        self._db = sqlite3.connect(folder / "actions.sqlite", isolation_level=None, check_same_thread=False)
        self._db.executescript(f"PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF; {_SCHEMA}")
        self._loaded: WeakValueDictionary[int, Run] = WeakValueDictionary()

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def next_id(self, name: str) -> int:
        """Return the next number of a counter: ``job``, ``task`` or a repository's runs."""
        sql = "INSERT INTO counters VALUES (?, 1) ON CONFLICT (name) DO UPDATE SET last = last + 1 RETURNING last"
        return int(self._db.execute(sql, (name,)).fetchone()[0])

    def insert(self, run: Run) -> Run:
        """Keep a new run, giving it an id and the repository's next number."""
        run.number = self.next_id(f"runs of {run.repo_id}")
        run.created = run.updated = int(time.time())
        sql = "INSERT INTO runs (repo_id, record) VALUES (?, '') RETURNING id"
        (run.id,) = self._db.execute(sql, (run.repo_id,)).fetchone()
        self._loaded[run.id] = run
        self.save(run)
        return run

    def save(self, run: Run) -> None:
        """Write the run as it is now."""
        run.updated = int(time.time())
        self._db.execute("UPDATE runs SET record = ? WHERE id = ?", (json.dumps(to_json(run)), run.id))

    def run(self, repo_id: int, run_id: int) -> Run | None:
        """Return one run of a repository by id."""
        return next((run for run in self.runs(repo_id) if run.id == run_id), None)

    def runs(self, repo_id: int | None = None) -> list[Run]:
        """Return a repository's runs, or all, newest id first."""
        where, values = ("", ()) if repo_id is None else (" WHERE repo_id = ?", (repo_id,))
        rows = self._db.execute(f"SELECT id, record FROM runs{where} ORDER BY id DESC", values)
        return [self._load(run_id, record) for run_id, record in rows.fetchall()]

    def _load(self, run_id: int, record: str) -> Run:
        known = self._loaded.get(run_id)
        if known is None:
            known = self._loaded[run_id] = from_json(json.loads(record))
        return known

    def add_status(
        self, repo_id: int, sha: str, *, state: str, context: str, description: str, target_url: str, creator: str
    ) -> CommitStatus:
        """Append a row; the one before it of the same context no longer counts."""
        fields = (repo_id, sha, state, context, description, target_url, creator, int(time.time()))
        sql = (
            "INSERT INTO statuses (repo_id, sha, state, context, description, target_url, creator, created)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?) RETURNING id"
        )
        (row_id,) = self._db.execute(sql, fields).fetchone()
        return CommitStatus(row_id, *fields)

    def statuses(self, repo_id: int, sha: str) -> list[CommitStatus]:
        """Return every row of a commit, newest first."""
        sql = (
            "SELECT id, repo_id, sha, state, context, description, target_url, creator, created FROM statuses"
            " WHERE repo_id = ? AND sha = ? ORDER BY id DESC"
        )
        return [CommitStatus(*row) for row in self._db.execute(sql, (repo_id, sha))]

    def log(self, task_id: int) -> Path:
        """Return the file of an attempt's log; it may not be there yet."""
        return self._logs / f"{task_id}.log"


def latest(rows: list[CommitStatus]) -> list[CommitStatus]:
    """Return the newest row of each context, newest first. ``rows`` come newest first."""
    seen: dict[str, CommitStatus] = {}
    for row in rows:
        seen.setdefault(row.context, row)
    return list(seen.values())
