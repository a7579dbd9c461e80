"""The kind node: an image like others, then filled with the images a cluster starts with."""

import time
from collections.abc import Callable, Iterable

from devenv.base import paths
from devenv.base.errors import BuildError, CommandFailed
from devenv.base.proc import Runner
from devenv.images import engine
from devenv.images.catalog import Entry

OnLine = Callable[[str], None]
START = ("/usr/local/bin/start", "/sbin/init")


def fill(runner: Runner, entry: Entry, empty: str, preloads: Iterable[str], recipe: str, on_line: OnLine) -> None:
    """Start `empty`, import `preloads` into its containerd, unpacked, and commit it as `entry.built`."""
    name = f"devenv-images-{entry.key}"
    inside = ["docker", "exec", name]
    archive = paths.cache() / "work" / "preload.tar"
    archive.parent.mkdir(parents=True, exist_ok=True)
    runner.run(["docker", "rm", "--force", "--volumes", name], check=False)  # of an interrupted run
    try:
        on_line("saving the images that every cluster needs")
        runner.run(["docker", "save", "--output", str(archive), *preloads])
        mounts = ["--tmpfs", "/run", "--tmpfs", "/tmp", "--volume", f"{archive.parent}:/preload:ro"]
        runner.run(
            [
                "docker",
                "run",
                "--detach",
                "--name",
                name,
                "--privileged",
                *mounts,
                "--entrypoint",
                "sleep",
                empty,
                "infinity",
            ]
        )
        runner.run(["docker", "exec", "--detach", name, "containerd"])
        _wait(runner, [*inside, "ctr", "version"])
        on_line("unpacking them inside the node")
        # unpacked now, a cluster need not do it; the packed layers would only double the size
        runner.run(
            [
                *inside,
                "ctr",
                "--namespace",
                "k8s.io",
                "images",
                "import",
                "--local",
                "--discard-unpacked-layers",
                "/preload/preload.tar",
            ]
        )
        runner.run([*inside, "sh", "-c", f"echo {entry.built.rpartition(':')[2]} > /kind/version"])
        runner.run(
            [*inside, "sh", "-c", "kill $(cat /proc/[0-9]*/stat | awk '$2 == \"(containerd)\" {print $1}') && sleep 1"]
        )
        runner.run([*inside, "rm", "-rf", "/preload"], check=False)
        on_line("committing")
        changes = [f'ENTRYPOINT ["{START[0]}", "{START[1]}"]', "CMD []", f"LABEL {engine.LABEL}={recipe}"]
        argv = ["docker", "commit", *(part for change in changes for part in ("--change", change)), name, entry.built]
        runner.run(argv)
    except CommandFailed as error:
        raise BuildError(
            f"the node image `{entry.built}` could not be filled", "run the same command again", error.details
        ) from error
    finally:
        runner.run(["docker", "rm", "--force", "--volumes", name], check=False)
        archive.unlink(missing_ok=True)


def _wait(runner: Runner, argv: list[str], seconds: float = 30.0) -> None:
    deadline = time.monotonic() + seconds
    while runner.run(argv, check=False).code:
        if time.monotonic() > deadline:
            raise BuildError("containerd did not start inside the node image", "see `docker logs`, and report it")
        time.sleep(0.3)
