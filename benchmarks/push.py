"""`make bench-push`: a one-line change of examples/lamp pushed and rolled back, two web processes, under a constant load of requests.

Beside it, in the same run: `docker build`, `kind load docker-image`, `kubectl set image`, `kubectl rollout status`, for the same app and change,
on an image that has the dependencies already, and without a release phase. It makes and deletes a cluster of its own and touches no other.
"""

import json
import os
import platform
import re
import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.timing import DEVENV, Figure, once, show
from devenv.base import paths
from devenv.images import reachable
from tests.load import Load

CLUSTER = os.environ.get("DEVENV_BENCH_CLUSTER", "devenv-bench")  # another one stays
ENV = "bench-push"
LAMP = Path(__file__).parent.parent / "examples" / "lamp"
RUNS = 5
# what push prints -> what ends there; the release command's output ends with its last line
PHASES = {
    "Compressing source files": "read the commit, plan",
    "-----> Compressing": "build",
    "-----> Launching": "layers to the registry",
}
PHASE, WAITED = "release phase", "Waiting for release"
LAST = "roll-out, both replicas, until only they answer"


def devenv(*words: str, app: Path) -> float:
    """Seconds of a devenv command in the app's folder."""
    return once([*DEVENV, *words], app)


def change(app: Path, version: str) -> None:
    """One line of the app's code is another one, committed."""
    code = app / "app.py"
    kept = [line for line in code.read_text().splitlines() if "/bench" not in line]
    code.write_text("\n".join([*kept, f'app.add_url_rule("/bench", "bench", lambda: "{version}")']) + "\n")
    for words in (["add", "--all"], ["commit", "--quiet", "--message", f"version {version}"]):
        subprocess.run(
            ["git", "-c", "user.name=Bench", "-c", "user.email=bench@example.com", *words], cwd=app, check=True
        )


def timed_push(app: Path) -> tuple[float, dict[str, float], str]:
    """Seconds of a push, seconds by phase, and what it says that it moved."""
    began = mark = said = time.monotonic()
    spent: dict[str, float] = {}
    lines: list[str] = []
    words = [*DEVENV, "push"]
    with subprocess.Popen(words, cwd=app, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        assert process.stdout
        for line in process.stdout:
            lines.append(line)
            now = time.monotonic()
            for text, phase in PHASES.items():
                if line.startswith(text):
                    spent[phase], mark = now - mark, now
            if line.startswith(WAITED):
                spent[PHASE], mark = said - mark, said
            said = now
    seconds = time.monotonic() - began
    spent[LAST] = began + seconds - mark
    if process.returncode:
        raise SystemExit(f"devenv push ended with {process.returncode}:\n{''.join(lines)[-3000:]}")
    moved = re.search(r"Done: \S+ \((\S+) moved\)", "".join(lines))
    return seconds, spent, moved[1] if moved else "?"


def served(load: Load, since: float, text: str) -> tuple[float, float]:
    """Seconds from `since` until `text` answered for the first time, and until nothing else answered any more."""
    after = [each for each in load.seen if each.sent > since]
    first = min(each.done for each in after if each.text == text)
    others = [each.done for each in after if each.text != text]
    return first - since, max(others, default=first) - since


class Reference:
    """The same app and change by docker, kind and kubectl, in a namespace of its own."""

    def __init__(self, app: Path, folder: Path) -> None:
        info = json.loads(output([*DEVENV, "cluster", "--json"], app))
        self.kubectl = [str(paths.bin_folder() / "kubectl"), f"--kubeconfig={info['kubeconfig']}", f"--namespace={ENV}"]
        self.kind = str(paths.bin_folder() / "kind")
        self.app, self.file, self.number = app, folder / "Dockerfile", 0
        web = json.loads(output([*self.kubectl, "get", "deployment", "web", "--output=json"], app))
        container = web["spec"]["template"]["spec"]["containers"][0]
        self.file.write_text(f"FROM {container['image']}\nCOPY --chown=1001 . .\n")
        self.begin(web, container)

    def begin(self, web: dict[str, Any], container: dict[str, Any]) -> None:
        """A Deployment like the app's own, on an image that is loaded into the node's store."""
        labels = {"app": "reference"}
        pod = web["spec"]["template"]["spec"] | {"containers": [container | {"name": "web", "image": self.image()}]}
        body = {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": "reference"},
            "spec": {
                "replicas": 2,
                "selector": {"matchLabels": labels},
                "template": {"metadata": {"labels": labels}, "spec": pod},
            },
        }
        self.load()
        subprocess.run(
            [*self.kubectl, "apply", "--filename=-"], input=json.dumps(body), text=True, check=True, capture_output=True
        )
        self.rolled_out()

    def image(self) -> str:
        """The tag of this round."""
        return f"bench-reference:{self.number}"

    def load(self) -> tuple[float, float]:
        """Seconds of `docker build` and of `kind load docker-image`."""
        built = once(["docker", "build", "--quiet", "--tag", self.image(), "--file", str(self.file), "."], self.app)
        return built, once([self.kind, "load", "docker-image", self.image(), "--name", CLUSTER])

    def rolled_out(self) -> float:
        """Seconds of `kubectl rollout status`."""
        return once([*self.kubectl, "rollout", "status", "deployment/reference", "--timeout=120s"])

    def round(self) -> tuple[float, ...]:
        """Seconds of each of the four commands."""
        self.number += 1
        built, loaded = self.load()
        set_image = once([*self.kubectl, "set", "image", "deployment/reference", f"web={self.image()}"])
        return built, loaded, set_image, self.rolled_out()

    def end(self) -> None:
        """Its Deployment and images are gone."""
        once([*self.kubectl, "delete", "deployment", "reference"])
        tags = [f"bench-reference:{number}" for number in range(self.number + 1)]
        subprocess.run(["docker", "image", "rm", *tags], check=False, capture_output=True)


def output(argv: Sequence[str], cwd: Path) -> str:
    """What a command prints."""
    return subprocess.run(list(argv), cwd=cwd, check=True, capture_output=True, text=True).stdout


def figures(app: Path, folder: Path) -> tuple[list[Figure], dict[str, float]]:
    """The figures, and the median seconds of each phase of a push."""
    subprocess.run(["git", "init", "--quiet", "--initial-branch=main"], cwd=app, check=True)
    change(app, "0")
    devenv("push", app=app)
    devenv("ps:scale", "web=2", app=app)
    reference = Reference(app, folder)
    by_hand = []
    for number in range(RUNS):
        change(app, f"hand {number}")
        by_hand.append(reference.round())
    reference.end()
    change(app, "start")
    devenv("push", app=app)
    port = int(json.loads(output([*DEVENV, "cluster", "--json"], app))["router"].rpartition(":")[2])
    pushes, phases, moved, rollbacks, firsts, lasts = [], [], [], [], [], []
    with Load(port, f"{ENV}.localhost", "/bench") as load:
        before = "start"
        for number in range(RUNS):
            change(app, f"push {number}")
            seconds, spent, text = timed_push(app)
            pushes.append(seconds)
            phases.append(spent)
            moved.append(text)
            since = time.monotonic()
            rollbacks.append(devenv("rollback", app=app))
            time.sleep(1)  # until an answer is in that was asked for after the end
            first, last = served(load, since, before)
            firsts.append(first)
            lasts.append(last)
        time.sleep(6)  # until the last pods have ended
    middle = {phase: statistics.median(each[phase] for each in phases) for phase in phases[0]}
    parts = [statistics.median(column) for column in zip(*by_hand, strict=True)]
    hand = f"{sum(parts):.1f} s: docker build {parts[0]:.1f}, kind load {parts[1]:.1f}, set image {parts[2]:.1f}, rollout status {parts[3]:.1f}"
    undo = "—"
    return [
        Figure(
            f"`push` of a one-line change, release phase, 2 web replicas (median of {RUNS})",
            statistics.median(pushes),
            "< 8 s",
            hand,
        ),
        Figure(
            f"moved to the registry for it, of the image's layers: {' '.join(moved)}",
            len(moved),
            "changed layers",
            "the whole image",
            "pushes",
        ),
        Figure(
            "`rollback`, release phase included: the old release answers for the first time",
            statistics.median(firsts),
            "< 3 s",
            undo,
        ),
        Figure("`rollback`: nothing but the old release answers", statistics.median(lasts), "—", undo),
        Figure("`rollback`: the command has ended", statistics.median(rollbacks), "—", undo),
        Figure(f"failed requests of {len(load.seen)} during all of it", len(load.failures), "0", "—", "failed"),
    ], middle


def main() -> None:
    """Measure and print."""
    os.environ |= {"DEVENV_CLUSTER": CLUSTER, "DEVENV_ENV": ENV}
    print(f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores, images {reachable.source()}\n")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        app = folder / "lamp"
        shutil.copytree(LAMP, app)
        try:
            found, phases = figures(app, folder)
        finally:
            own = ["cluster", "delete", "--yes"] if CLUSTER == "devenv-bench" else ["destroy", "--yes"]
            subprocess.run([*DEVENV, *own], cwd=app, capture_output=True, check=False)
    show(found)
    print("\n| phase of a push (median) | seconds |\n|---|---|")
    for phase, seconds in phases.items():
        print(f"| {phase} | {seconds:.2f} |")


if __name__ == "__main__":
    main()
