"""Events as components record them."""

from __future__ import annotations

from homelab.lab.kubernetes.controllers.expiry import KEPT
from homelab.lab.kubernetes.kinds import CONFIG_MAP, EVENT
from homelab.lab.kubernetes.recorder import Recorder
from tests.lab.kubernetes.fakes import VirtualLab


def test_a_repeated_event_is_counted():
    lab = VirtualLab({})
    about = lab.create(CONFIG_MAP, {"metadata": {"name": "one"}})
    recorder = Recorder(lab.store, "tester")
    for _ in range(3):
        lab.clock.sleep(10)
        recorder.warning(about, "Odd", "it is odd")
    (event,) = lab.events("Odd")
    assert (event["count"], event["type"], event["source"]) == (3, "Warning", {"component": "tester"})
    assert event["involvedObject"]["uid"] == about["metadata"]["uid"]
    assert event["firstTimestamp"] < event["lastTimestamp"]


def test_another_message_is_another_event():
    lab = VirtualLab({})
    about = lab.create(CONFIG_MAP, {"metadata": {"name": "one"}})
    recorder = Recorder(lab.store, "tester")
    for text in ("one", "two"):
        recorder.normal(about, "Odd", text)
    assert sorted(lab.messages("Odd")) == ["one", "two"]


def test_events_are_forgotten_an_hour_after_they_were_last_seen():
    lab = VirtualLab({})
    about = lab.create(CONFIG_MAP, {"metadata": {"name": "one"}})
    recorder = Recorder(lab.store, "tester")
    recorder.normal(about, "Odd", "it is odd")
    lab.run(KEPT - 10)
    recorder.normal(about, "Odd", "it is odd")
    lab.run(60)
    assert len(lab.events("Odd")) == 1
    lab.run(KEPT)
    assert lab.store.list(EVENT, "demo") == []
