"""The router's chart as Helm gets it: charts/router and the kinds (CRDs) it needs, which no repository should keep."""

import hashlib
import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

from devenv.base import paths, resources
from devenv.base.errors import BuildError, CommandFailed, ToolMissing
from devenv.base.proc import Runner
from devenv.images import golang
from devenv.plan.model import Source


def router_chart(runner: Runner, source: Source) -> Path:
    """The chart folder to install the router from, in the cache: charts/router with crds/; made once per version."""
    pins_file = resources.path("offline/router/crds.yaml")
    chart = resources.path("charts/router")
    folder = paths.cache() / "charts" / f"router-{_fingerprint(chart, pins_file)}"
    if folder.exists():
        return folder
    pins = resources.load_yaml(pins_file.read_text(), str(pins_file))
    partial = folder.with_name(f"{folder.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    shutil.copytree(chart, partial)
    (partial / "crds").mkdir()
    for pin in pins["sources"]:
        for name, content in _files(runner, source, pin).items():
            definition = resources.load_yaml(content.decode(), name)
            (partial / "crds" / name).write_text(json.dumps(without_descriptions(definition)))
    partial.rename(folder)
    return folder


def crds(runner: Runner, source: Source) -> Path:
    """The folder of the router's custom resource definitions, one file each, in the cache."""
    return router_chart(runner, source) / "crds"


def without_descriptions(value: Any) -> Any:
    """A definition without its prose, which is nine tenths of it and would be stored with every release."""
    if isinstance(value, list):
        return [without_descriptions(item) for item in value]
    if not isinstance(value, dict):
        return value
    # a field may itself be called `description`: prose is text, a field's schema is a mapping
    return {k: without_descriptions(v) for k, v in value.items() if not (k == "description" and isinstance(v, str))}


def _files(runner: Runner, source: Source, pin: Mapping[str, Any]) -> dict[str, bytes]:
    found = {}
    module = _module_folder(runner, pin) if source == "built" else None
    for name, digest in pin["files"].items():
        place = f"{pin['folder']}/{name}"
        content = (module / place).read_bytes() if module else _download(f"{pin['raw']}/{place}")
        if hashlib.sha256(content).hexdigest() != digest:
            raise BuildError(
                f"`{name}` of {pin['module']} {pin['version']} is not the file that was pinned",
                "try again on another network",
            )
        found[name] = content
    return found


def _module_folder(runner: Runner, pin: Mapping[str, Any]) -> Path:
    try:
        go = golang.toolchain(runner, "1.21", lambda line: None)
        done = runner.run([str(go), "mod", "download", "-json", f"{pin['module']}@{pin['version']}"], timeout=600)
    except (CommandFailed, ToolMissing) as error:
        raise BuildError(
            f"the Go module `{pin['module']}` cannot be had: {error.message}", error.hint or "check the Go proxy"
        ) from error
    return Path(json.loads(done.stdout)["Dir"])


def _download(url: str) -> bytes:
    try:
        with urlopen(url, timeout=60) as answer:
            content: bytes = answer.read()
            return content
    except (URLError, OSError) as error:
        raise BuildError(
            f"`{url}` cannot be had: {error}",
            "check the network, or build from package registries: `devenv up --offline`",
        ) from error


def _fingerprint(chart: Path, pins: Path) -> str:
    digest = hashlib.sha256(pins.read_bytes())
    for file in sorted(p for p in chart.rglob("*") if p.is_file()):
        digest.update(file.relative_to(chart).as_posix().encode() + b"\0" + file.read_bytes() + b"\0")
    return digest.hexdigest()[:12]
