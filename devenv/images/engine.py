"""The Docker engine through its command line: what the builds ask of it."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from devenv.base.errors import CommandFailed, ToolMissing
from devenv.base.proc import Runner

LABEL = "devenv.recipe"
# `--build-arg NAME` without a value takes the caller's, if any: a proxy's password never shows in argv
PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy")


@dataclass(frozen=True, slots=True)
class Local:
    """An image this machine has: the hash of the recipe it was made by (None: not ours) and its size in bytes."""

    recipe: str | None
    size: int


def check(runner: Runner) -> None:
    """Raise ToolMissing unless a Docker engine answers."""
    hint = "start Docker, or run `make engine` in devenv's checkout on a Debian or Ubuntu machine as root"
    try:
        runner.run(["docker", "version", "--format", "{{.Server.Version}}"], timeout=20)
    except ToolMissing as error:
        raise ToolMissing("`docker` is not installed", hint) from error
    except CommandFailed as error:
        raise ToolMissing("the Docker engine does not answer", hint, error.details) from error


def architecture(runner: Runner) -> str:
    """The architecture of the engine's containers, as Go names it."""
    return runner.run(["docker", "version", "--format", "{{.Server.Arch}}"]).stdout.strip()


def local(runner: Runner, references: Iterable[str]) -> Mapping[str, Local]:
    """Those of `references` that are here."""
    wanted = list(dict.fromkeys(references))
    shown = "{{json .RepoTags}}\t{{json .RepoDigests}}\t{{json .Config.Labels}}\t{{.Size}}"
    done = runner.run(["docker", "image", "inspect", "--format", shown, *wanted], check=False)
    if done.code and "No such image" not in done.stderr:
        raise CommandFailed(done.argv, done.code, done.stderr)
    found: dict[str, Local] = {}
    for line in filter(None, done.stdout.splitlines()):
        tags, digests, labels, size = line.split("\t")
        image = Local((json.loads(labels) or {}).get(LABEL), int(size))
        names = {*(json.loads(tags) or []), *(json.loads(digests) or [])}
        found.update({name: image for name in wanted if name in names or _digest_name(name) in names})
    return found


def build_argv(context: Path, tag: str, recipe: str) -> list[str]:
    """`docker build` of a folder, labelled with its recipe, with the caller's proxies."""
    arguments = [part for name in PROXIES for part in ("--build-arg", name)]
    return ["docker", "build", "--label", f"{LABEL}={recipe}", *arguments, "-t", tag, str(context)]


def import_argv(tag: str, recipe: str) -> list[str]:
    """`docker import` of a root file system from stdin."""
    return ["docker", "import", "--change", f"LABEL {LABEL}={recipe}", "--change", 'CMD ["bash"]', "-", tag]


def prune(runner: Runner) -> None:
    """Remove images of ours that a newer build took the tag from. One that a container still uses stays."""
    runner.run(["docker", "image", "prune", "--force", "--filter", f"label={LABEL}"], check=False)


def data_folder(runner: Runner) -> Path | None:
    """Where the engine keeps images, if that is on this machine's disk and not in a virtual machine."""
    path = Path(runner.run(["docker", "info", "--format", "{{.DockerRootDir}}"]).stdout.strip())
    return path if path.is_dir() else None


def _digest_name(name: str) -> str:
    # `postgres:17.6@sha256:…` is listed as `postgres@sha256:…`
    before, at, digest = name.partition("@")
    head, slash, last = before.rpartition("/")
    return f"{head}{slash}{last.partition(':')[0]}@{digest}" if at else name
