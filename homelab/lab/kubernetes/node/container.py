"""One container's life on the node: pulled, started, ready, ended, held back. Layer: state of the kubelet.

A state machine over the clock: ``step`` moves it as far as now allows and says when to look again. States, reasons and
messages from ``pkg/kubelet/kuberuntime`` and ``pkg/kubelet/images/image_manager.go``.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from enum import StrEnum

from homelab.lab.kubernetes.node.host import Host
from homelab.lab.kubernetes.node.images import Image, NoImage, Pulled
from homelab.lab.kubernetes.node.life import read_life
from homelab.lab.kubernetes.node.probes import failure, passes_at, probes_pass
from homelab.lab.kubernetes.node.runs import Line, Run, ended_run, new_container_id
from homelab.lab.kubernetes.node.speeds import back_off
from homelab.lab.kubernetes.objects import Object, seconds
from homelab.lab.registry.reference import parse


class State(StrEnum):
    """Where a container is."""

    WAITING = "waiting for its turn"
    PULLING = "pulling"
    NO_IMAGE = "no image"
    INVALID = "not an image name"
    NO_CONFIG = "its environment cannot be made"
    STARTING = "starting"
    RUNNING = "running"
    ENDED = "ended"
    BACK_OFF = "held back"


class Container:
    """One container of one pod."""

    def __init__(self, spec: Object, pod_label: str, policy: str, host: Host) -> None:
        """``pod_label`` is how messages name the pod; ``policy`` is its restartPolicy."""
        self.spec = spec
        self.name = str(spec["name"])
        self.image_text = str(spec["image"])
        self.reference = parse(self.image_text)
        self.image: Image | None = None
        self.state = State.WAITING
        self.restarts = 0
        self.run: Run | None = None
        self.previous: Run | None = None
        self.reason = ""
        self.message = ""
        self._pod_label = pod_label
        self._policy = policy
        self._host = host
        self._until = 0.0
        self._pulls_failed = 0
        self._crashes = 0
        self._told_unhealthy = False

    def resume(self, status: Object) -> None:
        """Go on from a ``containerStatuses`` entry that an earlier run reported."""
        self.image = self._host.present(self.reference) if self.reference else None
        if not self.image:
            return
        life = read_life(self.image.labels)
        self.restarts = int(status["restartCount"])
        last, state = status.get("lastState") or {}, status["state"]
        if ended := last.get("terminated"):
            self.previous = ended_run(ended, life)
        if running := state.get("running"):
            self.run = Run(status["containerID"], seconds(running["startedAt"]), life)
            self.state = State.RUNNING
        elif ended := state.get("terminated"):
            self.run = ended_run(ended, life)
            self._after_end()

    @property
    def started(self) -> bool:
        """Whether it runs now."""
        return self.state is State.RUNNING

    @property
    def succeeded(self) -> bool:
        """Whether it ended with exit code 0 and stays so."""
        return self.state is State.ENDED and self.run is not None and self.run.exit_code == 0

    @property
    def failed_for_good(self) -> bool:
        """Whether it ended badly and nothing restarts it."""
        return self.state is State.ENDED and self.run is not None and self.run.exit_code != 0

    def ready(self) -> bool:
        """Say whether it runs and its probes pass."""
        return self.started and self.run is not None and probes_pass(self.spec, self.run, self._host)

    def step(self) -> float | None:
        """Move on as far as now allows; return the seconds until the next look, None when only news can move it."""
        step: Callable[[], float | None] = {
            State.WAITING: self._pull,
            State.PULLING: lambda: None,
            State.NO_IMAGE: self._pull_again,
            State.INVALID: lambda: None,
            State.NO_CONFIG: self._start,
            State.STARTING: self._start,
            State.RUNNING: self._live,
            State.ENDED: lambda: None,
            State.BACK_OFF: self._restart,
        }[self.state]
        return step()

    def stop(self, grace: float) -> float:
        """Send SIGTERM; return the seconds until it has ended, at most ``grace``."""
        if not self.started or self.run is None:
            return 0.0
        self._host.event("Normal", "Killing", f"Stopping container {self.name}", self.name)
        wanted = self.run.life.stop_after
        return min(self._host.speeds.stop if wanted is None else wanted, grace)

    def end(self, exit_code: int, reason: str) -> None:
        """Put the running process to an end."""
        if self.run and self.run.ended is None:
            self.run.ended, self.run.exit_code, self.run.reason = self._host.now(), exit_code, reason
        self.state = State.ENDED

    # -- images

    def _pull(self) -> float | None:
        if self.reference is None:
            self._refuse_name()
            return None
        present = self._host.present(self.reference)
        if present and self.spec.get("imagePullPolicy") != "Always":
            text = f'Container image "{self.image_text}" already present on machine'
            self._host.event("Normal", "Pulled", text, self.name)
            return self._begin(present)
        if self.spec.get("imagePullPolicy") == "Never":
            self.state, self._until = State.NO_IMAGE, math.inf
            text = f'Container image "{self.image_text}" is not present with pull policy of Never'
            self.reason, self.message = "ErrImageNeverPull", text
            self._host.event("Warning", "ErrImageNeverPull", text, self.name)
            return None
        self._host.event("Normal", "Pulling", f'Pulling image "{self.image_text}"', self.name)
        self.state = State.PULLING
        began = self._host.now()
        self._host.images.pull(self.reference, lambda pulled: self._pulled(pulled, began))
        return None

    def _refuse_name(self) -> None:
        why = "repository name must be lowercase" if self.image_text != self.image_text.lower() else ""
        why = f"invalid reference format: {why}" if why else "invalid reference format"
        self.state, self.reason = State.INVALID, "InvalidImageName"
        text = f'couldn\'t parse image name "{self.image_text}": {why}'
        self.message = f'Failed to apply default image tag "{self.image_text}": {text}'
        self._host.event("Warning", "InspectFailed", self.message, self.name)
        self._host.event("Warning", "Failed", "Error: InvalidImageName", self.name)

    def _pulled(self, pulled: Pulled, began: float) -> None:
        if self.state is not State.PULLING:
            return
        if isinstance(pulled, NoImage):
            self._no_image(pulled)
        else:
            assert self.reference is not None
            self._host.keep(self.reference, pulled)
            took = max(self._host.now() - began, self._host.speeds.pull)
            shown = f"{took * 1000:.0f}ms"
            text = f'Successfully pulled image "{self.image_text}" in {shown} ({shown} including waiting).'
            self._host.event("Normal", "Pulled", f"{text} Image size: {pulled.size} bytes.", self.name)
            self._begin(pulled, extra=max(0.0, self._host.speeds.pull - (self._host.now() - began)))
        self._host.wake()

    def _no_image(self, failure: NoImage) -> None:
        self._pulls_failed += 1
        self.state, self.reason, self.message = State.NO_IMAGE, "ErrImagePull", failure.message
        wait = back_off(self._host.speeds.pull_back_off, self._pulls_failed, self._host.speeds.longest_back_off)
        self._until = self._host.now() + wait
        self._host.event("Warning", "Failed", f'Failed to pull image "{self.image_text}": {failure.message}', self.name)
        self._host.event("Warning", "Failed", "Error: ErrImagePull", self.name)

    def _pull_again(self) -> float | None:
        if self._until == math.inf:
            return None
        left = self._until - self._host.now()
        if left <= 0:
            return self._pull()
        if self.reason == "ErrImagePull" and left < self._first_look():
            cause = self.message
            self.reason = "ImagePullBackOff"
            self.message = f'Back-off pulling image "{self.image_text}": ErrImagePull: {cause}'
            text = f'Back-off pulling image "{self.image_text}"'
            self._host.event("Normal", "BackOff", text, self.name)
            self._host.event("Warning", "Failed", "Error: ImagePullBackOff", self.name)
        return left if self.reason == "ImagePullBackOff" else max(left - self._first_look(), 0.0) + 0.01

    def _first_look(self) -> float:
        """ErrImagePull shows for the first third of a wait, then it is a back-off."""
        wait = back_off(self._host.speeds.pull_back_off, self._pulls_failed, self._host.speeds.longest_back_off)
        return wait * 2 / 3

    # -- runs

    def _begin(self, image: Image, extra: float = 0.0) -> float:
        self.image = image
        self._pulls_failed = 0
        life = read_life(image.labels)
        delay = (self._host.speeds.start if life.start_delay is None else life.start_delay) + extra
        self.state = State.STARTING
        if self.run is None:
            # A restarted container keeps what it showed until it runs.
            self.reason, self.message = "ContainerCreating", ""
        self._until = self._host.now() + delay
        return delay

    def _start(self) -> float | None:
        left = self._until - self._host.now()
        if left > 0:
            return left
        assert self.image is not None
        if problem := self._host.environment_problem(self.spec):
            self.state, self.reason, self.message = State.NO_CONFIG, "CreateContainerConfigError", problem
            self._host.event("Warning", "Failed", f"Error: {problem}", self.name)
            self._until = self._host.now() + self._host.speeds.sync
            return self._host.speeds.sync
        life = read_life(self.image.labels)
        self._host.event("Normal", "Created", f"Created container: {self.name}", self.name)
        self._told_unhealthy = False
        self.restarts += self.run is not None
        self.previous = self.run
        self.run = Run(new_container_id(), self._host.now(), life)
        if life.start_error:
            return self._cannot_start(life.start_error)
        self.state, self.reason, self.message = State.RUNNING, "", ""
        self.run.lines += [Line(self.run.started, text) for text in life.log]
        self._host.event("Normal", "Started", f"Started container {self.name}", self.name)
        return self._live()

    def _cannot_start(self, why: str) -> float | None:
        assert self.run is not None
        text = f"failed to create containerd task: failed to create shim task: OCI runtime create failed: {why}"
        self._host.event("Warning", "Failed", f"Error: {text}", self.name)
        self.run.ended, self.run.exit_code = self.run.started, 128
        self.run.reason, self.run.message = "StartError", text
        return self._after_end()

    def _live(self) -> float | None:
        assert self.run is not None
        run, life, now = self.run, self.run.life, self._host.now()
        run.print_until(now)
        ends = life.crash_after is not None and self.restarts < life.crashes
        if ends and life.crash_after is not None:
            left = run.started + life.crash_after - now
            if left <= 0:
                run.lines += [Line(now, text) for text in life.last_log]
                run.ended, run.exit_code = now, life.exit_code
                run.reason = "OOMKilled" if life.oom_killed else ("Completed" if life.exit_code == 0 else "Error")
                return self._after_end()
        passes = passes_at(self.spec, run, self._host.speeds.probe)
        moments = [passes, run.started + life.unready_after, run.next_line()]
        moments += [run.started + life.crash_after] if ends and life.crash_after is not None else []
        self._tell_unhealthy(run)
        ahead = [moment - now for moment in moments if moment > now and moment != math.inf]
        return min(ahead) if ahead else None

    def _after_end(self) -> float | None:
        assert self.run is not None
        self.reason, self.message = "", ""
        if self._policy == "Never" or (self._policy == "OnFailure" and self.run.exit_code == 0):
            self.state = State.ENDED
            return None
        if self._host.now() - self.run.started > self._host.speeds.steady:
            self._crashes = 0
        self._crashes += 1
        self.state = State.BACK_OFF
        speeds = self._host.speeds
        if self._crashes == 1:
            wait = min(0.1, speeds.crash_back_off)
        else:
            wait = back_off(speeds.crash_back_off, self._crashes - 1, speeds.longest_back_off)
            self.reason = "CrashLoopBackOff"
            minutes, rest = divmod(wait, 60)
            shown = f"{minutes:g}m{rest:g}s" if minutes else f"{rest:g}s"
            self.message = f"back-off {shown} restarting failed container={self.name} pod={self._pod_label}"
            text = f"Back-off restarting failed container {self.name} in pod {self._pod_label}"
            self._host.event("Warning", "BackOff", text, self.name)
        self._until = self._host.now() + wait
        return wait

    def _restart(self) -> float | None:
        left = self._until - self._host.now()
        if left > 0:
            return left
        return self._pull()

    def _tell_unhealthy(self, run: Run) -> None:
        if self._told_unhealthy or probes_pass(self.spec, run, self._host):
            return
        self._told_unhealthy = True
        self._host.event("Warning", "Unhealthy", failure(self.spec), self.name)
