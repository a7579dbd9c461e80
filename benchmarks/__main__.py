"""`make bench`: the verbs, the first `up`, the second `up`, memory; each beside a reference measured in the same run.

It makes and deletes a cluster of its own, `devenv-bench`, and touches no other.
"""

import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.timing import DEVENV, Figure, once, paired, show
from devenv.base import paths
from devenv.images import catalog, reachable

CLUSTER = "devenv-bench"
LAMP = Path(__file__).parent.parent / "examples" / "lamp"
SETTLE = 20  # seconds after `up` before memory is read


def verbs() -> list[Figure]:
    """Verbs that do not touch the cluster, beside the import of the library that parses their command line."""
    found = []
    for words in (["version"], ["--help"], ["up", "--help"]):
        ours, reference, ratio = paired([*DEVENV, *words], [sys.executable, "-c", "import typer"])
        found.append(
            Figure(
                f"`devenv {' '.join(words)}`, ratio",
                ratio,
                "≤ 1.3",
                f"{ours * 1000:.0f} ms beside {reference * 1000:.0f} ms",
                "×",
            )
        )
    return found


def bare_kind() -> float:
    """Seconds of a bare `kind create cluster` with the same node image; deleted at once."""
    config = "kind: Cluster\napiVersion: kind.x-k8s.io/v1alpha4\n"
    source = reachable.source()
    if source == "built":
        config += "networking: {disableDefaultCNI: true}\n"  # our node image brings its own pod network
    name, kind = f"{CLUSTER}-bare", str(paths.bin_folder() / "kind")
    with tempfile.TemporaryDirectory() as folder:
        file, kubeconfig = Path(folder) / "kind.yaml", Path(folder) / "kubeconfig"
        file.write_text(config)
        image = catalog.reference("node", source)
        words = ["--name", name, "--kubeconfig", str(kubeconfig)]
        try:
            return once([kind, "create", "cluster", *words, "--image", image, "--config", str(file), "--wait", "120s"])
        finally:
            subprocess.run([kind, "delete", "cluster", *words], capture_output=True, check=False)


def ups() -> list[Figure]:
    """The first `up` with and without the cluster, the second `up`, memory at rest."""
    with tempfile.TemporaryDirectory() as folder:
        app = Path(folder) / "lamp"
        shutil.copytree(LAMP, app)
        up = [*DEVENV, "up", "-d", "--cluster", CLUSTER]
        reference = bare_kind()
        bare = f"bare `kind create cluster` {reference:.1f} s"
        try:
            renew(app)
            first = once(up, app)
            again = [once(up, app) for _ in range(5)]
            subprocess.run(["sleep", str(SETTLE)], check=True)
            info = json.loads(
                subprocess.run(
                    [*DEVENV, "cluster", "--cluster", CLUSTER, "--json"], capture_output=True, check=True
                ).stdout
            )
            once([*DEVENV, "destroy", "--yes", "--cluster", CLUSTER], app)
            renew(app)
            without = once(up, app)
        finally:
            subprocess.run(
                [*DEVENV, "cluster", "delete", "--yes", "--cluster", CLUSTER], capture_output=True, check=False
            )
    return [
        Figure("first `up` of the lamp, cluster included, image built", first, "< 90 s", bare),
        Figure("first `up` of the lamp on a running cluster, image built", without, "< 45 s", bare),
        Figure("second `up`, nothing changed (median of 5)", statistics.median(again), "< 2 s", bare),
        Figure("memory of all pods at rest", info["memory"] / 1024, "< 3 GB", "—", "GB"),
    ]


def renew(app: Path) -> None:
    """Make the dependency layer new, so that no cached layer stands in for the build."""
    with (app / "requirements.txt").open("a") as file:
        file.write(f"\n# {os.urandom(6).hex()}\n")


if __name__ == "__main__":
    print(f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores, images {reachable.source()}\n")
    show([*verbs(), *ups()])
