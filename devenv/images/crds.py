"""The router's chart as Helm gets it: charts/router and the kinds (CRDs) it needs, which no repository should keep."""

import hashlib
import json
import shutil
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

from devenv.base import paths, resources
from devenv.base.errors import BuildError, CommandFailed, ToolMissing
from devenv.base.proc import Runner
from devenv.images import golang
from devenv.plan.model import Source

OLDEST_GO = "1.21"  # `go mod download` of a module that asks for a newer Go works from here on
Read = Callable[[Mapping[str, Any], str], bytes]  # a source of crds.yaml, a path in it -> the file


def router_chart(runner: Runner, source: Source) -> Path:
    """The chart folder to install the router from, in the cache: charts/router with crds/; made once per version."""
    read = _from_modules(runner) if source == "built" else _from_files
    return assemble(resources.path("charts/router"), resources.path("offline/router/crds.yaml"), read)


def crds(runner: Runner, source: Source) -> Path:
    """The folder of the router's custom resource definitions, one file each, in the cache."""
    return router_chart(runner, source) / "crds"


def assemble(chart: Path, pins: Path, read: Read) -> Path:
    """A copy of `chart` with the definitions that `pins` names. Raises BuildError when one is not the pinned file."""
    folder = paths.cache() / "charts" / f"{chart.name}-{_fingerprint(chart, pins)}"
    if folder.exists():
        return folder
    with paths.filling(folder) as partial:
        shutil.copytree(chart, partial, dirs_exist_ok=True)
        (partial / "crds").mkdir()
        for pin in resources.load_yaml(pins.read_text(encoding="utf-8"), str(pins))["sources"]:
            for name, digest in pin["files"].items():
                content = read(pin, f"{pin['folder']}/{name}")
                if hashlib.sha256(content).hexdigest() != digest:
                    what = f"`{name}` of {pin['module']} {pin['version']} is not the file that was pinned"
                    raise BuildError(what, "something between here and its source changes files: try another network")
                slim = without_prose(resources.load_yaml(content.decode(), name))
                (partial / "crds" / name).write_text(json.dumps(slim), encoding="utf-8")
    return folder


def without_prose(value: Any) -> Any:
    """A definition without its descriptions: four fifths of it, which Helm would store with every release."""
    if isinstance(value, list):
        return [without_prose(item) for item in value]
    if not isinstance(value, dict):
        return value
    # a field may itself be called `description`: prose is text, a field's schema is a mapping
    return {key: without_prose(v) for key, v in value.items() if not (key == "description" and isinstance(v, str))}


def _from_modules(runner: Runner) -> Read:
    @cache
    def root(module: str) -> Path:
        try:
            go = golang.toolchain(runner, OLDEST_GO, lambda line: None)
            done = runner.run([str(go), "mod", "download", "-json", module], timeout=600)
        except (CommandFailed, ToolMissing) as error:
            hint = error.hint or "check that Go modules can be fetched (`go env GOPROXY`)"
            raise BuildError(f"the Go module `{module}` cannot be had", hint, error.details) from error
        return Path(json.loads(done.stdout)["Dir"])

    return lambda pin, place: (root(f"{pin['module']}@{pin['version']}") / place).read_bytes()


def _from_files(pin: Mapping[str, Any], place: str) -> bytes:
    url = f"{pin['raw']}/{place}"
    try:
        with urlopen(url, timeout=60) as answer:
            content: bytes = answer.read()
            return content
    except (URLError, OSError) as error:
        raise BuildError(
            f"`{url}` cannot be had: {error}", "check the network, then run the same command again"
        ) from error


def _fingerprint(chart: Path, pins: Path) -> str:
    digest = hashlib.sha256(pins.read_bytes())
    for file in sorted(path for path in chart.rglob("*") if path.is_file()):
        digest.update(file.relative_to(chart).as_posix().encode() + b"\0" + file.read_bytes() + b"\0")
    return digest.hexdigest()[:12]
