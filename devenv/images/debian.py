"""A Debian root file system by debootstrap: the one image that is FROM nothing."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

from devenv.base import paths
from devenv.base.errors import BuildError, CommandFailed, ToolMissing
from devenv.base.proc import Runner
from devenv.images import engine, fingerprint
from devenv.images.catalog import Entry

OnLine = Callable[[str], None]


def check() -> None:
    """Raise ToolMissing unless debootstrap can run here."""
    hint = "run `sudo make images` in devenv's checkout on Debian, or use a network that reaches image registries"
    if not shutil.which("debootstrap"):
        raise ToolMissing("`debootstrap` is not installed, and no base image can be made without it", hint)
    if os.geteuid() != 0:
        raise ToolMissing("`debootstrap` needs root to make a base image", hint)


def build(runner: Runner, entry: Entry, recipe: str, on_line: OnLine) -> None:
    """Make the root file system in a folder of the cache and import it as `entry.built`."""
    check()
    root = paths.cache() / "work" / f"{entry.key}.partial"
    packages = paths.cache() / "packages" / entry.recipe.suite
    packages.mkdir(parents=True, exist_ok=True)
    _remove(runner, root)
    root.parent.mkdir(parents=True, exist_ok=True)
    argv = [
        "debootstrap",
        "--variant=minbase",
        f"--include={','.join(_packages(fingerprint.folder(entry) / 'packages'))}",
        f"--cache-dir={packages}",
        entry.recipe.suite,
        str(root),
        *_mirror(runner),
    ]
    try:
        runner.stream(argv, on_line)
        _finish(runner, root, entry, on_line)
        archive = root.with_suffix(".tar")
        runner.run(["tar", "-C", str(root), "--one-file-system", "-cf", str(archive), "."])
        runner.run([*engine.import_argv(entry.built, recipe)[:-2], str(archive), entry.built])
        archive.unlink()
    except CommandFailed as error:
        raise BuildError(
            f"the base image `{entry.built}` could not be made",
            "check that Debian's packages can be fetched (`apt-get update`), then run the same command again",
            error.details,
        ) from error
    finally:
        _remove(runner, root)


def _finish(runner: Runner, root: Path, entry: Entry, on_line: OnLine) -> None:
    if entry.recipe.certificates:
        folder = root / "usr/local/share/ca-certificates"
        for path in fingerprint.certificates():
            shutil.copy(path, folder / path.name)
        runner.stream(["chroot", str(root), "update-ca-certificates"], on_line)
    for stale in [*root.glob("var/cache/apt/archives/*.deb"), *root.glob("var/lib/apt/lists/*_*")]:
        stale.unlink()
    for name in ("etc/resolv.conf", "etc/hostname"):  # this machine's own
        (root / name).unlink(missing_ok=True)


def _packages(path: Path) -> list[str]:
    lines = path.read_text(encoding="utf-8").splitlines()
    return [line for raw in lines if (line := raw.partition("#")[0].strip())]


def _mirror(runner: Runner) -> list[str]:
    # the mirror this machine's apt uses; without one debootstrap knows Debian's own
    try:
        shown = runner.run(["apt-get", "indextargets", "--format", "$(LABEL)|$(SITE)", "Created-By: Packages"]).stdout
    except (ToolMissing, CommandFailed):
        return []
    sites = [line.partition("|")[2] for line in shown.splitlines() if line.startswith("Debian|")]
    return sites[:1]


def _remove(runner: Runner, root: Path) -> None:
    # an interrupted debootstrap may have left /proc mounted in there: never walk into it
    for name in ("proc", "sys"):
        if os.path.ismount(root / name):
            runner.run(["umount", "--lazy", str(root / name)])
    if root.exists():
        runner.run(["rm", "-rf", "--one-file-system", str(root)])
    root.with_suffix(".tar").unlink(missing_ok=True)
