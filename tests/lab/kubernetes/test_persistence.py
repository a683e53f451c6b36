"""A cluster that goes on where another stopped."""

from __future__ import annotations

from pathlib import Path

from homelab.lab.kubernetes.cluster import Cluster, run_for
from homelab.lab.kubernetes.kinds import DEPLOYMENT, POD
from homelab.lab.kubernetes.persistence import Snapshots
from tests.lab.kubernetes.fakes import APP, VirtualLab, deployment


def restarted(lab: VirtualLab, folder: Path) -> VirtualLab:
    path = folder / "objects.json"
    Snapshots(lab.cluster, path).write()
    again = VirtualLab({})
    again.clock, again.shelf = lab.clock, lab.shelf
    again.cluster = Cluster(lab.shelf, now=lab.clock.now)
    assert Snapshots(again.cluster, path).load()
    again.cluster.populate()
    again.api, again.store = again.cluster.api, again.cluster.store
    return again


def test_objects_uids_and_versions_survive(tmp_path):
    lab = VirtualLab({"v1": {}})
    lab.create(DEPLOYMENT, deployment(f"{APP}:v1", replicas=2))
    lab.run(10)
    again = restarted(lab, tmp_path)
    assert again.get(DEPLOYMENT) == lab.get(DEPLOYMENT)
    assert again.store.version >= lab.store.version
    assert again.store.list(POD, "demo") == lab.store.list(POD, "demo")


def test_running_pods_go_on_without_a_restart(tmp_path):
    lab = VirtualLab({"v1": {}, "v2": {}})
    lab.create(DEPLOYMENT, deployment(f"{APP}:v1"))
    lab.run(10)
    again = restarted(lab, tmp_path)
    run_for(again.cluster, again.clock, 10)
    assert again.pods() == lab.pods()
    again.set_image("v2")
    again.run(10)
    assert again.get(DEPLOYMENT)["status"]["updatedReplicas"] == 1


def test_a_crash_looping_container_keeps_count(tmp_path):
    lab = VirtualLab({"crash": {"homelab.lab/crash-after": "1"}})
    lab.create(DEPLOYMENT, deployment(f"{APP}:crash"))
    lab.run(20)
    before = lab.pods()[0]["status"]["containerStatuses"][0]["restartCount"]
    again = restarted(lab, tmp_path)
    again.run(30)
    assert again.pods()[0]["status"]["containerStatuses"][0]["restartCount"] > before >= 2


def killed(lab: VirtualLab, folder: Path) -> VirtualLab:
    """A cluster on what a killed server left: nothing is written on the way out."""
    again = VirtualLab({})
    again.clock, again.shelf = lab.clock, lab.shelf
    again.cluster = Cluster(lab.shelf, now=lab.clock.now)
    assert Snapshots(again.cluster, folder / "objects.json").load()
    again.api, again.store = again.cluster.api, again.cluster.store
    return again


def test_what_was_acknowledged_survives_a_kill(tmp_path):
    lab = VirtualLab({"v1": {}, "v2": {}})
    snapshots = Snapshots(lab.cluster, tmp_path / "objects.json")
    snapshots.write()
    snapshots.record()
    lab.create(DEPLOYMENT, deployment(f"{APP}:v1"))
    lab.run(10)
    snapshots.write()
    lab.set_image("v2")
    lab.run(10)
    again = killed(lab, tmp_path)
    assert again.get(DEPLOYMENT) == lab.get(DEPLOYMENT)
    assert again.get(DEPLOYMENT)["metadata"]["generation"] == 2
    assert again.store.list(POD, "demo") == lab.store.list(POD, "demo")
    assert again.store.version == lab.store.version


def test_a_kill_before_the_first_file_and_in_the_middle_of_a_line_loses_only_that_line(tmp_path):
    lab = VirtualLab({"v1": {}})
    Snapshots(lab.cluster, tmp_path / "objects.json").record()
    lab.create(DEPLOYMENT, deployment(f"{APP}:v1"))
    with (tmp_path / "objects.journal").open("a") as journal:
        journal.write('{"version":99999,"ty')
    assert killed(lab, tmp_path).get(DEPLOYMENT) == lab.get(DEPLOYMENT)


def test_a_file_that_is_no_json_is_put_aside(tmp_path):
    path = tmp_path / "objects.json"
    path.write_text("{")
    assert Snapshots(VirtualLab({}).cluster, path).load() is False
    assert (tmp_path / "objects.broken").read_text() == "{"


def test_the_first_run_has_nothing_to_load(tmp_path):
    assert Snapshots(VirtualLab({}).cluster, tmp_path / "objects.json").load() is False
