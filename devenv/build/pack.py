"""Heroku's own Cloud Native Buildpacks by `pack`, when it is installed and official images can be pulled.

Config vars reach it as a file of names and values, which `pack` reads with `--env-file`.
"""

import os
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from devenv.base.errors import BuildError, CommandFailed
from devenv.base.proc import Runner
from devenv.build import ignore, registry
from devenv.build.output import OnLine, detail, heading, hint, size
from devenv.build.source import Source, scan
from devenv.build.stack import WITHHELD, title
from devenv.heroku.model import App
from devenv.plan.model import Image, ImageSpec


def builder_image(stack: str) -> str:
    """heroku/builder of a stack: `heroku-24` -> `heroku/builder:24`."""
    return f"heroku/builder:{stack.rpartition('-')[2]}"


def build_argv(
    name: str, folder: Path, stack: str, spec: ImageSpec, env_file: Path, descriptor: Path | None
) -> list[str]:
    """The command line of `pack build`."""
    line = ["pack", "build", name, "--path", str(folder), "--builder", builder_image(stack), "--no-color"]
    line += ["--env-file", str(env_file), "--pull-policy", "if-not-present", "--trust-builder"]
    for pack in spec.buildpacks if len(spec.buildpacks) > 1 else ():
        line += ["--buildpack", f"heroku/{pack.language}"]
    return [*line, "--descriptor", str(descriptor)] if descriptor else line


def env_lines(config: Mapping[str, str]) -> str:
    """The env file. A value of several lines cannot be written in it: the variable is left out."""
    return "".join(
        f"{name}={value}\n" for name, value in sorted(config.items()) if "\n" not in value and name not in WITHHELD
    )


@dataclass(frozen=True, slots=True)
class PackBuilder:
    """`pack build` with heroku/builder."""

    runner: Runner
    app: App
    config: Mapping[str, str] = field(default_factory=dict, repr=False)
    name: str = "pack"

    def accepts(self, app: App, spec: ImageSpec) -> bool:
        """Whether buildpacks build the image, and `pack` is installed."""
        return spec.docker is None and shutil.which("pack") is not None

    def build(self, source: Source, spec: ImageSpec, push_to: str, on_line: OnLine) -> Image:
        """Build and push. Raises BuildError with the last lines."""
        context = scan(source)
        name = registry.reference(push_to, spec)
        on_line(heading(f"Building with {builder_image(self.app.stack)}"))
        folder = Path(tempfile.mkdtemp(prefix="devenv-pack-"))
        try:
            env_file, descriptor = folder / "env", None
            with os.fdopen(os.open(env_file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
                file.write(env_lines(self.config))
            if not (context.folder / "project.toml").is_file():  # else its own excludes are in force
                descriptor = folder / "project.toml"
                rows = ", ".join(f"'{ignore.literal(path)}'" for path in context.left_out if "'" not in path)
                descriptor.write_text(f"[_]\nschema-version = '0.2'\n[io.buildpacks]\nexclude = [{rows}]\n")
            argv = build_argv(name, context.folder, self.app.stack, spec, env_file, descriptor)
            self.runner.stream(argv, lambda line: on_line(detail(line)))
        except CommandFailed as error:
            what = title(spec.buildpacks)
            raise BuildError(f"push rejected, failed to compile {what}", hint(error.output), error.details) from error
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        pushed = registry.push(self.runner, push_to, spec)
        on_line(detail(f"Done: {size(pushed.total)} ({size(pushed.moved)} moved)"))
        return pushed.image
