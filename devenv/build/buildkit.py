"""One `docker buildx build`: the docker CLI, because the engine's SDK has no BuildKit."""

import os
import re
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from devenv.base.errors import CommandFailed, ToolMissing
from devenv.base.proc import Runner
from devenv.build import ignore
from devenv.build.output import OnLine, Progress

# passed by name only: docker takes the value from its own environment, so that none is in argv, and drops an unset one
PROXY = ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "NO_PROXY", "no_proxy", "ALL_PROXY", "all_proxy")
SECRET = "config"
SECRET_MOUNT = f"--mount=type=secret,id={SECRET},uid=1001"
CONTEXT = "devenv-config"


@dataclass(frozen=True, slots=True)
class Job:
    """A build: Dockerfile text, the folder it sees without `left_out`, and what goes in beside."""

    dockerfile: str
    folder: Path
    tag: str
    left_out: Sequence[str] = ()
    target: str | None = None
    args: Mapping[str, str] = field(default_factory=dict)  # build args
    contexts: Mapping[str, str] = field(default_factory=dict)  # name in FROM -> `docker-image://…` or a folder
    config: tuple[str, str] | None = field(
        default=None, repr=False
    )  # /run/secrets/config: before the source is there, after


@dataclass(frozen=True, slots=True)
class Engine:
    """What matters of the Docker engine: its builder's name, and whether secret mounts are slow in it."""

    builder: str
    slow_secrets: bool


def engine(runner: Runner) -> Engine:
    """The engine docker speaks to. Raises ToolMissing when none answers."""
    # buildx may be set to a builder in a container, which does not see the engine's own images
    builder = runner.run(["docker", "context", "show"], check=False).stdout.strip() or "default"
    done = runner.run(["docker", "version", "--format", "{{.Server.Version}}"], check=False)
    if done.code:
        raise ToolMissing("the Docker engine does not answer", "start it (`docker info` shows whether it runs)")
    version = tuple(int(part) for part in re.findall(r"\d+", done.stdout)[:2])
    # A step with a secret first reads the whole root file system, until BuildKit 0.16, which is in Docker 27.3
    # (github.com/docker/buildx/issues/2361): the values then go by a mount from the build's own context
    return Engine(builder, (26, 0) <= version < (27, 3))


def argv(job: Job, files: Path, engine: Engine) -> list[str]:
    """The command line; `files` is the folder with the Dockerfile and the config. Holds no value of an arg."""
    line = ["docker", "buildx", "build", "--builder", engine.builder]
    line += ["--progress", "plain", "--provenance=false", "--load"]
    line += ["--file", str(files / "Dockerfile"), "--tag", job.tag]
    if job.target:
        line += ["--target", job.target]
    for name in (*PROXY, *sorted(job.args)):
        line += ["--build-arg", name]
    for name, place in sorted(job.contexts.items()):
        line += ["--build-context", f"{name}={place}"]
    if job.config is not None:
        folder = files / CONTEXT
        as_context = ["--build-context", f"{CONTEXT}={folder}"]
        line += as_context if engine.slow_secrets else ["--secret", f"id={SECRET},src={folder / 'late' / SECRET}"]
    return [*line, str(job.folder)]


def with_mounts(text: str) -> str:
    """The Dockerfile with the config mounted from the build's context: one folder for steps before the source, one after."""
    mount = f"--mount=type=bind,from={CONTEXT},source={{}},target=/run/secrets"
    before, copy, after = text.partition("\nCOPY --chown=1001 . .\n")
    return (
        before.replace(SECRET_MOUNT, mount.format("early")) + copy + after.replace(SECRET_MOUNT, mount.format("late"))
    )


def build(runner: Runner, job: Job, what: str, on_line: OnLine, *, steps: bool) -> None:
    """Build and tag. `what` names it in the error (`Python app`); `steps` prints each instruction.

    Raises BuildError with the last lines that matter, ToolMissing without BuildKit or an engine.
    """
    progress = Progress(on_line, steps=steps)
    chosen = engine(runner)
    with _files(job, chosen) as files:
        try:
            runner.stream(argv(job, files, chosen), progress.feed, env=dict(job.args))
        except CommandFailed as error:
            signs = ("is not a docker command", "unknown flag: --builder", "unknown command: docker buildx")
            if any(sign in error.output for sign in signs):
                hint = "install buildx: Debian's `docker-buildx`, Docker's `docker-buildx-plugin`"
                raise ToolMissing("docker has no BuildKit plugin", hint) from error
            raise progress.error(what) from error
        finally:
            if job.config is not None and chosen.slow_secrets:
                _forget_config(runner, chosen)


def _forget_config(runner: Runner, engine: Engine) -> None:
    """Remove the copy of the config that BuildKit keeps of a context; the layers built with it stay."""
    flags = ["--builder", engine.builder, "--filter", "type=source.local"]
    listing = runner.run(["docker", "buildx", "du", "--verbose", *flags], check=False).stdout
    for block in listing.split("\n\n"):
        found = re.search(r"^ID:\s+(\w+)", block, re.MULTILINE)
        if found and f"local source for {CONTEXT}" in block:
            drop = ["docker", "buildx", "prune", "--builder", engine.builder, "--force", "--filter", f"id={found[1]}"]
            runner.run(drop, check=False)


@contextmanager
def _files(job: Job, engine: Engine) -> Iterator[Path]:
    # mkdtemp's folder is this user's alone, which the config vars need
    folder = Path(tempfile.mkdtemp(prefix="devenv-build-"))
    try:
        mounts = job.config is not None and engine.slow_secrets
        (folder / "Dockerfile").write_text(with_mounts(job.dockerfile) if mounts else job.dockerfile)
        # BuildKit prefers `<Dockerfile>.dockerignore` beside the Dockerfile to the context's own .dockerignore
        patterns = "".join(ignore.literal(path) + "\n" for path in job.left_out)
        (folder / "Dockerfile.dockerignore").write_text(patterns, errors="replace")
        for name, text in zip(("early", "late"), job.config or (), strict=False):
            place = folder / CONTEXT / name / SECRET
            place.parent.mkdir(parents=True)
            place.write_text(text, errors="surrogateescape")
            # the mode travels with a context, and the steps run as another user
            os.chmod(place, 0o644)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
