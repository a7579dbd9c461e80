"""The kind node: an image like others, then filled with the images a cluster starts with."""

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from devenv.base import paths
from devenv.base.errors import BuildError, CommandFailed
from devenv.base.proc import Runner
from devenv.images import engine
from devenv.images.catalog import Entry

OnLine = Callable[[str], None]
START = 'ENTRYPOINT ["/usr/local/bin/start", "/sbin/init"]'
IMPORT = ("ctr", "--namespace", "k8s.io", "images", "import", "--local")
ARCHIVE = "/preload/image.tar"
# containerd drops what nothing refers to when it pleases; ending a lease is the way to ask for it
COLLECT = "ctr --namespace k8s.io leases create --id devenv && ctr --namespace k8s.io leases rm --sync devenv"
# by what the kernel calls it: the image has no pkill, and asking systemd would need a booted node
STOP = "kill $(awk '$2 == \"(containerd)\" {print $1}' /proc/[0-9]*/stat)"


def fill(runner: Runner, entry: Entry, empty: str, preloads: Iterable[str], recipe: str, on_line: OnLine) -> None:
    """Start `empty`, import `preloads` into its containerd, unpacked, and commit it as `entry.built`."""
    name = f"devenv-images-{entry.key}"
    try:
        with _running(runner, name, empty) as shared:
            for image in preloads:
                on_line(f"putting {image} into the node")
                _import(runner, name, image, shared, on_line)
            runner.run(["docker", "exec", name, "sh", "-c", COLLECT])
            runner.run(["docker", "exec", name, "sh", "-c", f"echo {entry.built.rpartition(':')[2]} > /kind/version"])
            runner.run(["docker", "exec", name, "sh", "-c", STOP])
            _until(runner, ["docker", "exec", name, "sh", "-c", f"! {STOP}"])
            on_line("committing")
            changes = [START, "CMD []", f"LABEL {engine.LABEL}={recipe}"]
            options = [part for change in changes for part in ("--change", change)]
            runner.run(["docker", "commit", *options, name, entry.built])
    except CommandFailed as error:
        hint = "run the same command again"
        raise BuildError(f"the node image `{entry.built}` could not be filled", hint, error.details) from error


@contextmanager
def _running(runner: Runner, name: str, image: str) -> Iterator[Path]:
    """A container of `image` with a running containerd, and the folder that it sees as /preload."""
    shared = paths.cache() / "work" / "preload"
    shared.mkdir(parents=True, exist_ok=True)
    remove = ["docker", "rm", "--force", "--volumes", name]
    runner.run(remove, check=False)  # of an interrupted run
    try:
        mounts = ["--tmpfs", "/run", "--tmpfs", "/tmp", "--volume", f"{shared}:/preload:ro"]
        start = ["docker", "run", "--detach", "--name", name, "--privileged", *mounts]
        runner.run([*start, "--entrypoint", "sleep", image, "infinity"])
        runner.run(["docker", "exec", "--detach", name, "containerd"])
        _until(runner, ["docker", "exec", name, "ctr", "version"])
        yield shared
    finally:
        runner.run(remove, check=False)
        for file in shared.iterdir():
            file.unlink()


def _import(runner: Runner, name: str, image: str, shared: Path, on_line: OnLine) -> None:
    runner.run(["docker", "save", "--output", str(shared / "image.tar"), image])
    # unpacked now, no cluster need do it; the packed layers would only double the size
    unpacked = runner.run(["docker", "exec", name, *IMPORT, "--discard-unpacked-layers", ARCHIVE], check=False)
    if unpacked.code:
        # a layer that removes files of a lower one cannot be unpacked on top of this container's own layers
        on_line(f"{image} is unpacked by each cluster: {unpacked.stderr.strip()[-200:]}")
        runner.run(["docker", "exec", name, *IMPORT, "--no-unpack", ARCHIVE])


def _until(runner: Runner, argv: list[str], seconds: float = 30.0) -> None:
    deadline = time.monotonic() + seconds
    while (done := runner.run(argv, check=False)).code:
        if time.monotonic() > deadline:
            raise CommandFailed(argv, done.code, done.stderr)
        time.sleep(0.2)
