"""One `docker buildx build`: the docker CLI, because the engine's SDK has no BuildKit."""

import os
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
CONFIG_SECRET = "config"


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
    secret: str | None = None  # text of /run/secrets/config in steps that mount it


def argv(job: Job, files: Path, builder: str) -> list[str]:
    """The command line; `files` is the folder with the Dockerfile, and the secret if there is one. Holds no value of an arg."""
    line = ["docker", "buildx", "build", "--builder", builder, "--progress", "plain", "--provenance=false", "--load"]
    line += ["--file", str(files / "Dockerfile"), "--tag", job.tag]
    if job.target:
        line += ["--target", job.target]
    for name in (*PROXY, *sorted(job.args)):
        line += ["--build-arg", name]
    for name, place in sorted(job.contexts.items()):
        line += ["--build-context", f"{name}={place}"]
    if job.secret is not None:
        line += ["--secret", f"id={CONFIG_SECRET},src={files / CONFIG_SECRET}"]
    return [*line, str(job.folder)]


def build(runner: Runner, job: Job, what: str, on_line: OnLine, *, steps: bool) -> None:
    """Build and tag. `what` names it in the error (`Python app`); `steps` prints each instruction. Raises BuildError."""
    progress = Progress(on_line, steps=steps)
    with _files(job) as files:
        try:
            # buildx may be set to a builder in a container, which does not see the engine's own images
            engine = runner.run(["docker", "context", "show"], check=False).stdout.strip() or "default"
            runner.stream(argv(job, files, engine), progress.feed, env=dict(job.args))
        except CommandFailed as error:
            if any(
                sign in error.output
                for sign in ("is not a docker command", "unknown flag: --builder", "unknown command: docker buildx")
            ):
                raise ToolMissing(
                    "docker has no BuildKit plugin",
                    "install buildx: Debian's `docker-buildx`, Docker's `docker-buildx-plugin`",
                ) from error
            if "Cannot connect to the Docker daemon" in error.output:
                raise ToolMissing(
                    "the Docker engine does not answer", "start it (`docker info` shows whether it runs)"
                ) from error
            raise progress.error(what) from error


@contextmanager
def _files(job: Job) -> Iterator[Path]:
    # mkdtemp's folder is this user's alone, which the config vars need
    folder = Path(tempfile.mkdtemp(prefix="devenv-build-"))
    try:
        (folder / "Dockerfile").write_text(job.dockerfile)
        # BuildKit prefers `<Dockerfile>.dockerignore` beside the Dockerfile to the context's own .dockerignore
        patterns = "".join(ignore.literal(path) + "\n" for path in job.left_out)
        (folder / "Dockerfile.dockerignore").write_text(patterns, errors="replace")
        if job.secret is not None:
            secret = os.open(folder / CONFIG_SECRET, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(secret, "w", errors="surrogateescape") as file:
                file.write(job.secret)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
