"""`make bench-sync`: from a save to the content in the pods, as somebody in the pods sees it, beside a fresh `kubectl exec` and `kubectl cp`.

It makes and deletes a cluster of its own, `devenv-bench`. `BENCH_FILES` is the size of the large tree (200,000), `BENCH_SAVES` the
number of saves for each figure (100).
"""

import http.client
import json
import os
import platform
import shutil
import signal
import statistics
import subprocess
import tempfile
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from benchmarks.timing import DEVENV, once
from devenv.base import paths
from devenv.cluster.kube import Kube
from devenv.cluster.kube_model import Pod
from devenv.images import reachable
from devenv.plan.model import Access

CLUSTER, ENV = "devenv-bench", "bench-sync"
ROOT = Path(__file__).parent.parent
APP = ROOT / "tests" / "apps" / "python-plain"
FILES = int(os.environ.get("BENCH_FILES", "200000"))
SAVES = int(os.environ.get("BENCH_SAVES", "100"))
PAUSE = 0.1  # seconds between two saves
IDLE = 30.0  # seconds over which idleness is measured
TICK = os.sysconf("SC_CLK_TCK")


class Observers:
    """One observer in each pod, and what each has seen when."""

    def __init__(self, kube: Kube, pods: list[Pod]) -> None:
        self.kube, self.pods = kube, pods
        self.seen: dict[tuple[str, str, str], float] = {}
        self.news = threading.Condition()
        self.streams = [self._start(pod) for pod in pods]
        self.wait({"ready": "-"})

    def _start(self, pod: Pod) -> object:
        container = next(each.name for each in pod.containers if not each.init)
        text = (Path(__file__).parent / "observer.py").read_text()
        argv = ["python", "-u", "-c", text, "/app/probe"]
        stream = self.kube.open_exec(ENV, pod.name, argv, container=container, stdin=False)
        threading.Thread(target=self._read, args=(pod.name, stream), daemon=True).start()
        return stream

    def _read(self, pod: str, stream: "object") -> None:
        rest = b""
        while piece := stream.read():  # type: ignore[attr-defined]
            *lines, rest = (rest + piece[1]).split(b"\n")
            with self.news:
                for line in lines:
                    seconds, name, value = line.decode().split(" ", 2)
                    self.seen.setdefault((pod, name, value), float(seconds))
                self.news.notify_all()

    def wait(self, files: dict[str, str], timeout: float = 20) -> float:
        """When the last pod saw the last of the files (name -> content), on the monotonic clock."""
        wanted = [(pod.name, name, value) for pod in self.pods for name, value in files.items()]
        with self.news:
            if not self.news.wait_for(lambda: all(each in self.seen for each in wanted), timeout):
                missing = [each for each in wanted if each not in self.seen]
                raise SystemExit(f"{len(missing)} of {len(wanted)} were not seen, {missing[0]} among them")
            return max(self.seen[each] for each in wanted)

    def stop(self) -> None:
        """End them: a program that waits for nothing but inotify does not see its stream end."""
        for pod, stream in zip(self.pods, self.streams, strict=True):
            with suppress(Exception):
                self.kube.exec(ENV, pod.name, ["sh", "-c", "pkill -f /app/probe || true"])
            stream.close()  # type: ignore[attr-defined]


def shown(name: str, times: list[float], goal: str) -> None:
    """A line of the table; times in seconds."""
    ms = sorted(each * 1000 for each in times)
    p95 = ms[max(0, round(len(ms) * 0.95) - 1)]
    print(f"| {name} | {statistics.median(ms):.1f} | {p95:.1f} | {ms[-1]:.1f} | {len(ms)} | {goal} |", flush=True)


def saves(folder: Path, observers: Observers, count: int, mark: str) -> list[float]:
    """Save one file again and again; seconds until every pod has it."""
    found = []
    for number in range(count):
        value = f"{mark}-{number}"
        began = time.monotonic()
        (folder / "probe" / "one.txt").write_text(value)
        found.append(observers.wait({"one.txt": value}) - began)
        time.sleep(PAUSE)
    return found


def together(folder: Path, observers: Observers, count: int, rounds: int, new: bool) -> list[float]:
    """Write `count` files at once, as a switch of branches does; seconds from the first until every pod has the last.

    `new`: files that were not there before. Else the same ones each time, removed and made anew, as git does: each round then costs
    more than the one before, because ext4 passes over inodes freed within the last minutes one by one (recently_deleted in ialloc.c).
    """
    found = []
    for turn in range(rounds):
        files = {f"many-{turn if new else ''}-{number}.txt": f"{turn}-{number}" for number in range(count)}
        began = time.monotonic()
        for name, value in files.items():
            (folder / "probe" / name).unlink(missing_ok=True)
            (folder / "probe" / name).write_text(value)
        found.append(observers.wait(files) - began)
        time.sleep(3 * PAUSE)
    return found


def fresh(kube: Kube, folder: Path, observers: Observers, copy: bool, count: int = 1) -> list[float]:
    """The reference: kubectl for every change of so many files, to the first pod."""
    pod = observers.pods[0]
    container = next(each.name for each in pod.containers if not each.init)
    base = [str(paths.bin_folder() / "kubectl"), "--kubeconfig", str(kube.access.kubeconfig)]
    base += ["--context", kube.access.context, "-n", ENV]
    scratch = folder.parent / f"scratch-{count}"
    (scratch / "probe").mkdir(parents=True, exist_ok=True)
    first = Observers.__new__(Observers)
    first.__dict__.update(observers.__dict__, pods=[pod])
    found = []
    for turn in range(max(10, SAVES // 5)):
        files = {f"kubectl-{number}.txt": f"{'cp' if copy else 'tar'}-{turn}-{number}" for number in range(count)}
        began = time.monotonic()
        for name, value in files.items():
            (scratch / "probe" / name).write_text(value)
        if copy:
            subprocess.run([*base, "cp", "-c", container, "probe", f"{pod.name}:/app/"], cwd=scratch, check=True)
        else:
            archive = subprocess.run(["tar", "-cf", "-", "probe"], cwd=scratch, capture_output=True, check=True)
            subprocess.run(
                [*base, "exec", "-i", pod.name, "-c", container, "--", "tar", "-xmf", "-", "-C", "/app"],
                input=archive.stdout,
                check=True,
            )
        found.append(first.wait(files) - began)
    return found


def answering(folder: Path, url: str, count: int) -> list[float]:
    """Save other code; seconds until it answers through the router."""
    source = folder / "web.py"
    text, found = source.read_text(), []
    for number in range(count):
        value = f"new-{number}"
        began = time.monotonic()
        source.write_text(text.replace('VERSION = "1"', f'VERSION = "{value}"'))
        while True:
            request = urllib.request.Request(url + "/version", headers={"Host": f"{ENV}.localhost"})
            # the old process may end within an answer: it is no server that waits for them
            with suppress(OSError, http.client.HTTPException), urllib.request.urlopen(request, timeout=10) as answer:
                if answer.read().decode() == value:
                    break
        found.append(time.monotonic() - began)
        time.sleep(5 * PAUSE)
    return found


@contextmanager
def session(folder: Path) -> Iterator["subprocess.Popen[bytes]"]:
    """`devenv sync`, running."""
    argv = [*DEVENV, "sync", "--env", ENV, "--cluster", CLUSTER]
    with (folder.parent / "sync.log").open("ab") as log:
        process = subprocess.Popen(argv, cwd=folder, stdout=log, stderr=log, stdin=subprocess.DEVNULL)
    try:
        yield process
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(20)


def devenv(folder: Path, *words: str) -> float:
    """A verb on the benchmark's env; seconds."""
    return once([*DEVENV, *words, "--env", ENV, "--cluster", CLUSTER], folder)


def running(kube: Kube, count: int) -> list[Pod]:
    """The pods, once there are so many and no other."""
    while True:
        every = kube.pods(ENV, "devenv.dev/kind=process")
        pods = [pod for pod in every if not pod.deleting and pod.ready]
        if len(pods) == len(every) == count:
            return pods
        time.sleep(0.3)


def spent(pid: int) -> float:
    """Processor seconds that a process of this machine has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICK


def resident(pid: int) -> float:
    """Resident memory of a process in MB."""
    line = next(each for each in Path(f"/proc/{pid}/status").read_text().splitlines() if each.startswith("VmRSS"))
    return int(line.split()[1]) / 1024


def loops(kube: Kube, pod: Pod) -> float:
    """Processor seconds of the loop and the supervisor in a pod."""
    look = "cd /tmp/.devenv; for p in $(cat loop supervisor); do cat /proc/$p/stat; done"
    done = kube.exec(ENV, pod.name, ["sh", "-c", look])
    rows = [line.rpartition(")")[2].split() for line in done.stdout.splitlines()]
    return sum(int(row[11]) + int(row[12]) for row in rows) / TICK


def measure(folder: Path, kube: Kube, url: str) -> None:
    """The figures of a small tree."""
    for types, count in ((("web=1", "worker=0"), 1), (("web=2", "worker=1"), 3), (("web=4", "worker=2"), 6)):
        devenv(folder, "ps:scale", *types)
        pods = running(kube, count)
        with session(folder):
            observers = _ready(folder, kube, pods)
            goal = {1: "15 / 35", 3: "20 / 60"}.get(count, "")
            shown(f"1 file, {count} pod{'s' * (count > 1)}", saves(folder, observers, SAVES, f"p{count}"), goal)
            if count == 1:
                shown("the same by `kubectl exec … tar`, 1 pod", fresh(kube, folder, observers, False), "reference")
                shown("the same by `kubectl cp`, 1 pod", fresh(kube, folder, observers, True), "reference")
            if count == 3:
                shown("200 new files at once, 3 pods", together(folder, observers, 200, 20, True), "200")
                shown("the same 200 files, replaced", together(folder, observers, 200, 20, False), "200")
                shown(
                    "the same by `kubectl exec … tar`, 1 pod", fresh(kube, folder, observers, False, 200), "reference"
                )
            observers.stop()
            if count == 1:
                shown("save → new code answering, 1 pod", answering(folder, url, max(20, SAVES // 4)), "- / 700")


def large(folder: Path, kube: Kube) -> None:
    """The figures of a large tree, and idleness."""
    for number in range(FILES):
        file = folder / "data" / str(number // 1000) / str(number // 10 % 100) / f"{number}.txt"
        if number % 10 == 0:
            file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"{number}\n")
    seconds = devenv(folder, "up", "-d")
    print(f"\n`up` with {FILES:,} files more: {seconds:.1f} s\n\n{HEAD}", flush=True)
    devenv(folder, "ps:scale", "web=2", "worker=1")
    pods = running(kube, 3)
    with session(folder) as process:
        observers = _ready(folder, kube, pods)
        shown(f"1 file, 3 pods, {FILES:,} files in the tree", saves(folder, observers, SAVES, "large"), "- / 100")
        observers.stop()
        time.sleep(5)
        before, inside = spent(process.pid), loops(kube, pods[0])
        time.sleep(IDLE)
        share, pod = (spent(process.pid) - before) / IDLE, (loops(kube, pods[0]) - inside) / IDLE
        print(
            f"\nidle, {FILES:,} files: {share * 100:.2f} % of a core here (goal 0.3), {pod * 100:.2f} % in a pod, "
            f"{resident(process.pid):.0f} MB (goal 80)",
            flush=True,
        )


def _ready(folder: Path, kube: Kube, pods: list[Pod]) -> Observers:
    (folder / "probe").mkdir(exist_ok=True)
    (folder / "probe" / "first.txt").write_text("first")
    for pod in pods:
        while kube.exec(ENV, pod.name, ["test", "-e", "/app/probe/first.txt"]).code:
            time.sleep(0.2)
    observers = Observers(kube, pods)
    saves(folder, observers, 3, "warm")
    return observers


HEAD = "| what | p50 ms | p95 ms | max ms | n | goal (p50 / p95 ms) |\n|---|---|---|---|---|---|"


def main() -> None:
    """Make the cluster, measure, delete it."""
    signal.signal(
        signal.SIGINT, signal.default_int_handler
    )  # a shell's background job ignores it, and so would the sessions
    print(
        f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores, images {reachable.source()}\n\n{HEAD}",
        flush=True,
    )
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / "python-plain"
        shutil.copytree(APP, folder)
        try:
            devenv(folder, "up", "-d")
            status = subprocess.run(
                [*DEVENV, "cluster", "--cluster", CLUSTER, "--json"], capture_output=True, check=True
            )
            kube = Kube(Access(Path(json.loads(status.stdout)["kubeconfig"]), f"kind-{CLUSTER}"))
            listed = subprocess.run(
                [*DEVENV, "ps", "--json", "--env", ENV, "--cluster", CLUSTER],
                cwd=folder,
                capture_output=True,
                check=True,
            )
            measure(folder, kube, json.loads(listed.stdout)["url"].replace(f"{ENV}.localhost", "127.0.0.1"))
            large(folder, kube)
        finally:
            subprocess.run(
                [*DEVENV, "cluster", "delete", "--yes", "--cluster", CLUSTER], capture_output=True, check=False
            )


if __name__ == "__main__":
    main()
