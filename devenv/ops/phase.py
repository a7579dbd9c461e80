"""The release command of a release: its output while it runs, its end, why it failed (heroku.md section 3.8)."""

import threading
import time
from datetime import UTC, datetime

from devenv.base.errors import DevenvError
from devenv.cluster import kube_logs
from devenv.cluster.kube import MERGE
from devenv.cluster.kube_model import Pod
from devenv.ops import rollout
from devenv.ops.env import Env
from devenv.ops.story import Story

RELEASE_PODS = "devenv.dev/kind=release"
OPEN = ("Pending", "Running")


def end_left(env: Env) -> None:
    """The release command of an interrupted run does not go on beside the next one."""

    def running() -> list[str]:
        return [pod.name for pod in env.kube.pods(env.name, RELEASE_PODS) if pod.phase in OPEN]

    if left := running():
        with env.console.step("Ending the release command of an interrupted run"):
            for name in left:
                env.kube.delete_pod(env.name, name)
            while running():  # bounded: the pod is killed when its grace period ends
                time.sleep(0.25)


def follow(env: Env, version: int, lines: list[str], stop: threading.Event, story: Story) -> None:
    """Tell the release command's output as it comes, until it ends or `stop` is set; `lines` takes it too."""
    selector = f"{RELEASE_PODS},{rollout.RELEASE}={version}"
    try:
        over = False
        while not (pods := [pod for pod in env.kube.pods(env.name, selector) if _begun(pod)]):
            if over:
                return
            over = stop.wait(0.2)  # a short command has ended, and helm with it, between two looks
        for _, line in kube_logs.follow(env.kube, pods[0], stop=stop):
            lines.append(line)
            story.phase_line(line)
        if not stop.is_set():
            _pass_on(env, pods[0])
    except DevenvError as error:
        env.console.detail(f"the release command's log ended: {error.message}")


def _pass_on(env: Env, followed: Pod) -> None:
    # the kubelet tells that the command has ended a second before it calls the pod done, which is what Helm waits for
    pod = env.kube.wait_pod(
        env.name, followed.name, lambda pod: pod.phase not in OPEN or _succeeded(pod) is not None, 10
    )
    if pod.phase in OPEN and not pod.deleting and pod.started and _succeeded(pod):
        took = (datetime.now(UTC) - pod.started).total_seconds()
        if took < env.profile.release_timeout - 5:  # else it may be the deadline that ended it
            path = f"/api/v1/namespaces/{env.name}/pods/{pod.name}/status"
            change = {"metadata": {"uid": followed.uid}, "status": {"phase": "Succeeded"}}
            env.kube.http.json("PATCH", path, change, content_type=MERGE)


def _begun(pod: Pod) -> bool:
    # of a short command the kubelet tells the end before it has called the pod running
    return pod.phase != "Pending" or _succeeded(pod) is not None


def _succeeded(pod: Pod) -> bool | None:
    """Whether all of its containers ended with status 0; None while one has not ended."""
    ended = [each.ended for each in pod.containers]
    return all(each.code == 0 for each in ended if each) if ended and all(ended) else None


def failure(env: Env, version: int) -> str | None:
    """Why the release command of a release failed; None when it did not."""
    for pod in env.kube.pods(env.name, f"{RELEASE_PODS},{rollout.RELEASE}={version}"):
        if pod.reason == "DeadlineExceeded":
            return f"it did not end within {env.profile.release_timeout} s"
        for container in pod.containers:
            if container.ended and container.ended.code:
                return f"it exited with status {container.ended.code}" + (
                    " (out of memory)" if container.ended.reason == "OOMKilled" else ""
                )
            if container.state == "waiting" and container.reason:
                return f"{container.reason} {container.message}".strip()
        if pod.phase == "Failed":
            return f"{pod.reason} {pod.message}".strip()  # evicted, for one
    return None
