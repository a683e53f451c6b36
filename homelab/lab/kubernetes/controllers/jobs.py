"""Jobs: pods that end, counted until enough did or too many failed. Layer: controller.

From ``pkg/controller/job/job_controller.go``, for the completion mode NonIndexed.
"""

from __future__ import annotations

from collections.abc import Iterable

from homelab.lab.kubernetes.api import Api
from homelab.lab.kubernetes.controllers.loop import Name
from homelab.lab.kubernetes.controllers.pod_owner import PodOwner
from homelab.lab.kubernetes.controllers.pods import active, ready
from homelab.lab.kubernetes.controllers.templates import pod_from
from homelab.lab.kubernetes.kinds import JOB, POD
from homelab.lab.kubernetes.objects import (
    Object,
    condition,
    copy,
    deleting,
    name_of,
    namespace_of,
    seconds,
    stamp,
)
from homelab.lab.kubernetes.store import Change

_FINAL = {"SuccessCriteriaMet": "Complete", "FailureTarget": "Failed"}


class Jobs:
    """The Job controller; ``retry`` is the first wait in seconds after a failed pod, doubling."""

    name = "job"

    def __init__(self, api: Api, retry: float) -> None:
        """Read and write through ``api``."""
        self._api = api
        self._store = api.store
        self._retry = retry
        self._owner = PodOwner(api, JOB)

    def concerns(self, change: Change) -> Iterable[Name]:
        """Itself, and the owner of a pod."""
        return self._owner.concerns(change)

    def reconcile(self, namespace: str, name: str) -> float | None:
        """Judge, start or stop pods, count."""
        item = self._store.find(JOB, namespace, name)
        if item is None or deleting(item):
            return None
        if ended := condition(item, "Complete") or condition(item, "Failed"):
            return self._expire(item, ended)
        status = copy(item["status"])
        pods = self._owner.pods(item)
        wait = None
        if item["spec"].get("suspend"):
            self._suspend(item, status, pods)
        else:
            wait = self._run(item, status, pods)
        self._count(item, status)
        return wait

    def _run(self, item: Object, status: Object, pods: list[Object]) -> float | None:
        now = self._store.now()
        if not status.get("startTime"):
            status["startTime"] = stamp(now)
        if resumed := condition({"status": status}, "Suspended"):
            resumed |= {"status": "False", "reason": "JobResumed", "message": "Job resumed"}
        verdict = self._verdict(item, status, pods)
        if verdict:
            return self._finish(status, pods, verdict)
        running = [pod for pod in pods if active(pod)]
        succeeded, failed = _ended(pods, "Succeeded"), _ended(pods, "Failed")
        wanted = min(int(item["spec"]["parallelism"]), int(item["spec"].get("completions", 1)) - len(succeeded))
        left = self._back_off(failed, now)
        if left > 0 and len(running) < wanted:
            return left
        for _ in range(wanted - len(running)):
            self._owner.make(item, pod_from(item, item["spec"]["template"]))
        deadline = item["spec"].get("activeDeadlineSeconds")
        return seconds(status["startTime"]) + deadline - now + 0.05 if deadline else None

    def _back_off(self, failed: list[Object], now: float) -> float:
        if not failed:
            return 0.0
        last = max(_end_of(pod) for pod in failed)
        return last + self._retry * float(2 ** min(len(failed) - 1, 6)) - now

    def _verdict(self, item: Object, status: Object, pods: list[Object]) -> tuple[str, str, str] | None:
        spec = item["spec"]
        restarts = sum(
            one["restartCount"] for pod in pods if active(pod) for one in pod["status"].get("containerStatuses") or []
        )
        if len(_ended(pods, "Succeeded")) >= int(spec.get("completions", 1)):
            return "SuccessCriteriaMet", "CompletionsReached", "Reached expected number of succeeded pods"
        if len(_ended(pods, "Failed")) + restarts > int(spec["backoffLimit"]):
            return "FailureTarget", "BackoffLimitExceeded", "Job has reached the specified backoff limit"
        deadline = spec.get("activeDeadlineSeconds")
        if deadline is not None and seconds(status["startTime"]) + deadline <= self._store.now():
            return "FailureTarget", "DeadlineExceeded", "Job was active longer than specified deadline"
        return None

    def _finish(self, status: Object, pods: list[Object], verdict: tuple[str, str, str]) -> float | None:
        """Stop what still runs; the last word is said when nothing does."""
        now = self._store.now()
        running = [pod for pod in pods if active(pod)]
        for pod in running:
            self._api.delete(POD, namespace_of(pod), name_of(pod))
        name, reason, message = verdict
        names = [name] if running or any(deleting(pod) for pod in pods) else [name, _FINAL[name]]
        known = status.setdefault("conditions", [])
        for one in names:
            if not condition({"status": status}, one):
                times = {"lastProbeTime": stamp(now), "lastTransitionTime": stamp(now)}
                known.append({"type": one, "status": "True", **times, "reason": reason, "message": message})
        if "Complete" in names:
            status["completionTime"] = stamp(now)
        return None

    def _suspend(self, item: Object, status: Object, pods: list[Object]) -> None:
        for pod in pods:
            if active(pod):
                self._api.delete(POD, namespace_of(pod), name_of(pod))
        status.pop("startTime", None)
        if condition({"status": status}, "Suspended") is None:
            times = {"lastProbeTime": stamp(self._store.now()), "lastTransitionTime": stamp(self._store.now())}
            words = {"reason": "JobSuspended", "message": "Job suspended"}
            status.setdefault("conditions", []).append({"type": "Suspended", "status": "True", **times, **words})
            self._owner.events.normal(item, "Suspended", "Job suspended")

    def _count(self, item: Object, status: Object) -> None:
        pods = self._owner.pods(item)
        counters = {
            "active": sum(active(pod) for pod in pods),
            "ready": sum(ready(pod) and active(pod) for pod in pods),
            "succeeded": len(_ended(pods, "Succeeded")),
            "failed": len(_ended(pods, "Failed")),
            "terminating": sum(deleting(pod) for pod in pods),
        }
        always = ("ready", "terminating")
        status = {key: value for key, value in status.items() if key not in counters}
        status |= {key: value for key, value in counters.items() if value or key in always}
        status.setdefault("uncountedTerminatedPods", {})
        before = item["status"]
        self._owner.write_status(item, status)
        self._tell(item, before, status)

    def _tell(self, item: Object, before: Object, status: Object) -> None:
        complete, failed = condition({"status": status}, "Complete"), condition({"status": status}, "Failed")
        if complete and not condition({"status": before}, "Complete"):
            self._owner.events.normal(item, "Completed", "Job completed")
        if failed and not condition({"status": before}, "Failed"):
            self._owner.events.warning(item, failed["reason"], failed["message"])

    def _expire(self, item: Object, ended: Object) -> float | None:
        ttl = item["spec"].get("ttlSecondsAfterFinished")
        if ttl is None:
            return None
        left = seconds(ended["lastTransitionTime"]) + float(ttl) - self._store.now()
        if left > 0:
            return left
        self._api.delete(JOB, namespace_of(item), name_of(item))
        return None


def _ended(pods: list[Object], phase: str) -> list[Object]:
    return [pod for pod in pods if pod["status"].get("phase") == phase]


def _end_of(pod: Object) -> float:
    states = [one["state"].get("terminated") or {} for one in pod["status"].get("containerStatuses") or []]
    return max((seconds(state.get("finishedAt")) for state in states), default=0.0)
