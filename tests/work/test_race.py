"""Two people land at once: both changes arrive, each in a tree that was verified."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from homelab.outcome import Outcome
from tests.work.site import Site

ROOT = Path(__file__).parents[2]


def _land(folder: Path, state: Path, log: Path, *, together: int = 1) -> subprocess.Popen[str]:
    """Land from ``folder``; the verification waits until ``together`` of them have begun."""
    begun = log.parent / "begun"
    begun.mkdir(exist_ok=True)
    wait = f"n=0; while test $(ls {begun} | wc -l) -lt {together} -a $n -lt 200; do sleep 0.05; n=$((n+1)); done"
    verify = f"touch {begun}/$$; {wait}; sleep 0.2; git rev-parse 'HEAD^{{tree}}' >> {log}"
    return subprocess.Popen(
        [sys.executable, "-m", "tests.work.lander", str(folder), "--verify", verify],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), "XDG_STATE_HOME": str(state)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def _both(site: Site, first: Path, second: Path) -> list[str]:
    """Land from two places whose users share nothing but the server; return every verified tree."""
    log = site.root / "trees"
    lands = [_land(place, site.root / f"state-{place.name}", log, together=2) for place in (first, second)]
    for land in lands:
        out, err = land.communicate(timeout=60)
        assert land.returncode == 0, out + err
        assert json.loads(out)["landed"] is True
    return log.read_text().split()


def test_two_lands_that_race_are_each_verified_as_they_land(site: Site):
    other = site.other()
    other.text("switch", "-q", "-c", "theirs")
    site.commit("theirs.txt", git=other)
    verified = _both(site, site.clone, other.root)
    landed = site.remote.lines("log", "--first-parent", "--format=%T", "--max-count=2", "main")
    assert set(landed) <= set(verified)
    assert [site.remote.run("cat-file", "-e", f"main:{name}").code for name in ("feature.txt", "theirs.txt")] == [0, 0]
    assert len(verified) == 3


def test_one_user_lands_one_after_the_other(site: Site):
    other = site.other()
    other.text("switch", "-q", "-c", "theirs")
    site.commit("theirs.txt", git=other)
    log = site.root / "trees"
    lands = [_land(folder, site.root / "state", log) for folder in (site.clone, other.root)]
    assert [land.communicate(timeout=60) and land.returncode for land in lands] == [0, 0]
    assert len(log.read_text().split()) == 2


def test_a_busy_lock_is_an_answer_of_its_own(site: Site):
    holder = _land(site.clone, site.root / "state", site.root / "trees")
    try:
        other = site.other()
        other.text("switch", "-q", "-c", "theirs")
        site.commit("theirs.txt", git=other)
        for _ in range(200):
            result = site.land(
                other.root, lock_timeout=0, env={"XDG_STATE_HOME": str(site.root / "state")}, verify="false"
            )
            if result.outcome is Outcome.LOCK_BUSY:
                break
        assert result.outcome is Outcome.LOCK_BUSY
        assert str(site.clone) in result.headline
        assert result.first().startswith("NOT LANDED: ")
    finally:
        holder.communicate(timeout=60)
