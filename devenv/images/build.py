"""The driver behind `devenv images`: makes what is missing, in order; can be stopped and started again at any line."""

import fcntl
import os
import shutil
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TextIO

from devenv.base import paths
from devenv.base.console import Console
from devenv.base.errors import BuildError, CommandFailed, DevenvError
from devenv.base.proc import Runner
from devenv.images import catalog, debian, engine, fingerprint, golang, node
from devenv.images.catalog import Entry
from devenv.plan.model import Source

OnLine = Callable[[str], None]
ROOM = 10 * 10**9  # bytes that a first build takes, base image to node


@dataclass(frozen=True, slots=True)
class Row:
    """One image in `devenv images list`. `state` is present, stale (its recipe changed) or missing."""

    key: str
    source: Source
    reference: str
    state: str
    size: int  # bytes; 0 when missing
    seconds: int  # what making it takes


@dataclass(frozen=True, slots=True)
class Built:
    """What `build` made and what was there already, by key, and the seconds it took."""

    made: tuple[str, ...]
    present: tuple[str, ...]
    seconds: float


def listing(runner: Runner, source: Source) -> list[Row]:
    """Every image that `source` needs, and whether this machine has it."""
    entries = [entry for entry in catalog.entries().values() if source == "built" or not entry.internal]
    references = {entry.key: catalog.reference(entry.key, source) for entry in entries}
    here = engine.local(runner, references.values())
    rows = []
    for entry in entries:
        reference = references[entry.key]
        found = here.get(reference)
        built = reference == entry.built
        fresh = found and (not built or found.recipe == fingerprint.of_image(entry.key))
        state = "present" if fresh else "stale" if found else "missing"
        where: Source = "built" if built else "official"
        rows.append(Row(entry.key, where, reference, state, found.size if found else 0, entry.seconds))
    return rows


def stale(runner: Runner, keys: Iterable[str] = ()) -> list[Entry]:
    """The images among `keys` (none = all) and their needs that must be made, in order."""
    wanted = catalog.ordered(keys or catalog.entries())
    here = engine.local(runner, (entry.built for entry in wanted))
    return [
        entry
        for entry in wanted
        if entry.built not in here or here[entry.built].recipe != fingerprint.of_image(entry.key)
    ]


def build(runner: Runner, console: Console, keys: Sequence[str] = ()) -> Built:
    """Make the built images `keys` (none = all) and their needs, unless present. Raises BuildError, ToolMissing."""
    began = time.monotonic()
    engine.check(runner)
    if stale(runner, keys):
        with _alone(console):
            todo = stale(runner, keys)  # another devenv may have made some while this one waited
            _make_all(runner, console, todo)
    else:
        todo = []
    made = tuple(entry.key for entry in todo)
    present = tuple(entry.key for entry in catalog.ordered(keys or catalog.entries()) if entry.key not in made)
    return Built(made, present, time.monotonic() - began)


def _make_all(runner: Runner, console: Console, todo: Sequence[Entry]) -> None:
    if any(entry.recipe.kind == "debootstrap" for entry in todo):
        debian.check()
    _check_room(runner, todo)
    machine = "linux", engine.architecture(runner)
    modules = golang.missing((name for entry in todo for name in entry.recipe.programs), *machine)
    steps = [
        (
            module.seconds,
            f"go-{module.name}",
            f"Go: {', '.join(module.programs)}",
            partial(golang.build, runner, module, *machine),
        )
        for module in modules
    ] + [
        (entry.seconds, f"image-{entry.key}", entry.built, partial(_make, runner, entry, golang.folder(*machine)))
        for entry in todo
    ]
    left = sum(seconds for seconds, *_ in steps)
    if todo:
        console.say(f"{_count(len(todo), 'image')} to make, {_about(left)}; what is done stays done if you stop it")
    for number, (seconds, log, title, work) in enumerate(steps, 1):
        _step(console, f"[{number}/{len(steps)}] {title}", log, f"{_about(left)} left", work)
        left -= seconds
    engine.prune(runner)


@contextmanager
def _alone(console: Console) -> Iterator[None]:
    """Only one devenv of this machine makes images at a time; a second one waits."""
    path = paths.cache() / "images.lock"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            with console.step("waiting for another devenv that makes images"):
                fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _make(runner: Runner, entry: Entry, programs: Path, on_line: OnLine) -> None:
    recipe = fingerprint.of_image(entry.key)
    if entry.recipe.kind == "debootstrap":
        debian.build(runner, entry, recipe, on_line)
        return
    context = paths.cache() / "work" / f"{entry.key}.context"
    shutil.rmtree(context, ignore_errors=True)
    _lay_out(entry, context, programs)
    try:
        if entry.recipe.kind == "node":
            empty = f"devenv.local/empty-{entry.key}:{recipe}"
            _docker_build(runner, entry, context, empty, recipe, on_line)
            preloads = [catalog.get(key).built for key in catalog.needs(entry) if catalog.get(key).preload]
            try:
                node.fill(runner, entry, empty, preloads, recipe, on_line)
            finally:
                runner.run(["docker", "image", "rm", empty], check=False)
        else:
            _docker_build(runner, entry, context, entry.built, recipe, on_line)
    finally:
        shutil.rmtree(context, ignore_errors=True)


def _lay_out(entry: Entry, context: Path, programs: Path) -> None:
    """Fill the build context: the recipe's folder and the Go programs it asks for."""
    recipe = entry.recipe
    if recipe.kind == "static":
        context.mkdir(parents=True)
        name = recipe.programs[0]
        lines = ["FROM scratch", f"COPY bin/{name} /usr/local/bin/{name}", "ENV PATH=/usr/local/bin"]
        (context / "Dockerfile").write_text(
            "\n".join([*lines, f'ENTRYPOINT ["/usr/local/bin/{name}"]', ""]), encoding="utf-8"
        )
    else:
        source = fingerprint.folder(entry)
        if not (source / "Dockerfile").exists():
            raise BuildError(f"the recipe of `{entry.key}` has no Dockerfile", "reinstall devenv")
        shutil.copytree(source, context)
    if recipe.programs:
        (context / "bin").mkdir()
        for name in recipe.programs:
            try:
                os.link(programs / name, context / "bin" / name)
            except OSError:  # the cache spans file systems
                shutil.copy2(programs / name, context / "bin" / name)


def _docker_build(runner: Runner, entry: Entry, context: Path, tag: str, recipe: str, on_line: OnLine) -> None:
    try:
        runner.stream(engine.build_argv(context, tag, recipe), on_line)
    except CommandFailed as error:
        raise BuildError(f"the image `{entry.built}` could not be made", None, error.details) from error


def _step(console: Console, title: str, log: str, note: str, work: Callable[[OnLine], None]) -> None:
    path = paths.cache() / "logs" / f"{log}.log"
    path.parent.mkdir(parents=True, exist_ok=True)
    with console.step(title) as step, path.open("w", encoding="utf-8") as file:
        step.note = note
        try:
            work(_into(file, console))
        except DevenvError as error:
            error.hint = f"{error.hint}; the whole log is in {path}" if error.hint else f"see {path}"
            raise


def _into(file: TextIO, console: Console) -> OnLine:
    def on_line(line: str) -> None:
        file.write(line + "\n")
        file.flush()
        console.detail(line)

    return on_line


def _check_room(runner: Runner, todo: Sequence[Entry]) -> None:
    if not any(entry.recipe.kind == "node" for entry in todo):
        return
    paths.cache().mkdir(parents=True, exist_ok=True)
    for folder in filter(None, (paths.cache(), engine.data_folder(runner))):
        free = shutil.disk_usage(folder).free
        if free < ROOM:
            raise BuildError(
                f"`{folder}` has {free / 1e9:.1f} GB free, and making the images takes {ROOM // 10**9} GB",
                "make room, for instance with `docker system prune`, or set `DEVENV_CACHE` to a folder on another disk",
            )


def _about(seconds: int) -> str:
    return f"about {max(1, round(seconds / 60))} min" if seconds >= 50 else f"about {max(5, round(seconds / 5) * 5)} s"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" + ("" if number == 1 else "s")
