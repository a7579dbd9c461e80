"""kind, helm and kubectl for this machine: found, fetched and checked, or built."""

import hashlib
import io
import os
import re
import shutil
import tarfile
import tempfile
import urllib.request
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.error import URLError

from devenv.base import paths
from devenv.base.console import Console
from devenv.base.errors import CommandFailed, ToolMissing
from devenv.base.proc import Runner
from devenv.images import catalog, golang, reachable
from devenv.images.catalog import Tool


def ensure(runner: Runner, console: Console, names: Iterable[str]) -> dict[str, Path]:
    """The path of each tool in `names`, all in the bin folder, at the pinned version or an adequate one of PATH's."""
    return {name: _ensure(runner, console, catalog.tools()[name]) for name in names}


def _ensure(runner: Runner, console: Console, tool: Tool) -> Path:
    path = paths.bin_folder() / tool.name
    note = paths.bin_folder() / f".{tool.name}"
    if path.exists() and _read(note) == tool.version:
        return path
    path.parent.mkdir(parents=True, exist_ok=True)
    if found := _adequate(runner, tool):
        with _partial(path) as partial:
            partial.symlink_to(found)
    else:
        _obtain(runner, console, tool, path)
    note.write_text(tool.version, encoding="utf-8")
    return path


def _adequate(runner: Runner, tool: Tool) -> Path | None:
    """The tool on PATH, when it is new enough."""
    own = str(paths.bin_folder())
    folders = [part for part in os.get_exec_path() if os.path.abspath(part) != own]
    found = shutil.which(tool.name, path=os.pathsep.join(folders))
    if not found:
        return None
    try:
        text = runner.run([found, *tool.ask], timeout=20).stdout
    except (CommandFailed, ToolMissing):
        return None
    match = re.search(r"v(\d+(?:\.\d+)+)", text)
    return Path(found).resolve() if match and _number(match[1]) >= _number(tool.minimum) else None


def _obtain(runner: Runner, console: Console, tool: Tool, path: Path) -> None:
    system, architecture = golang.host()
    built = golang.folder(system, architecture) / tool.name
    checksum = tool.sha256.get(f"{system}-{architecture}")
    if not golang.missing([tool.name], system, architecture):
        _install(built.read_bytes(), path)
    elif checksum and (data := _download(console, tool, system, architecture)):
        if hashlib.sha256(data).hexdigest() != checksum:
            raise ToolMissing(
                f"the download of `{tool.name}` {tool.version} is not what was published",
                f"something between here and its host changes it; install {tool.name} {tool.minimum} or later yourself",
            )
        _install(_member(data, tool, system, architecture), path)
    else:
        module = catalog.module_of(tool.name)
        with console.step(f"building {', '.join(module.programs)}, about {module.seconds} s"):
            golang.build(runner, module, system, architecture, console.detail)
        _install(built.read_bytes(), path)


def _download(console: Console, tool: Tool, system: str, architecture: str) -> bytes | None:
    """What the tool's host sends, or None when the host cannot be reached from here."""
    url = tool.url.format(os=system, arch=architecture)
    if not reachable.answers(url):
        return None
    try:
        with console.step(f"fetching {tool.name} {tool.version}"), urllib.request.urlopen(url, timeout=60) as response:
            data: bytes = response.read()
            return data
    except (URLError, OSError):
        return None


def _member(data: bytes, tool: Tool, system: str, architecture: str) -> bytes:
    if tool.member is None:
        return data
    with tarfile.open(fileobj=io.BytesIO(data), mode="r:gz") as archive:
        file = archive.extractfile(tool.member.format(os=system, arch=architecture))
        assert file is not None  # the checksum covers the archive's shape too
        return file.read()


def _install(data: bytes, path: Path) -> None:
    with _partial(path) as partial:
        partial.write_bytes(data)
        partial.chmod(0o755)


@contextmanager
def _partial(path: Path) -> Iterator[Path]:
    """Where to make what then takes `path`: no other run makes anything there."""
    with tempfile.TemporaryDirectory(prefix=f".{path.name}.", dir=path.parent) as folder:
        yield Path(folder) / path.name
        os.replace(Path(folder) / path.name, path)


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError:
        return ""


def _number(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))
