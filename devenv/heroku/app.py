"""The app as its folder tells it. `load` is the only function of this room that opens files."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar

from devenv.base.errors import InputError, Problems
from devenv.heroku import app_json, buildpacks, config_vars, heroku_yml, naming, procfile
from devenv.heroku.model import (
    EMPTY,
    AddonRef,
    App,
    AppJson,
    Buildpack,
    ConfigVars,
    DockerBuild,
    EnvEntry,
    HerokuYml,
    ProcessType,
    Procfile,
    frozen,
)

DEFAULT_STACK = "heroku-24"
# their builds are blocked: https://devcenter.heroku.com/articles/stack
_ENDED_STACKS = frozenset({"heroku-16", "heroku-18", "heroku-20"})
_LIMIT = 4 * 1024 * 1024  # bytes; a file beyond is not one that a person wrote

T = TypeVar("T")


@dataclass(slots=True)
class _Folder:
    """The app's root: its listing, the text of its files, and every problem met on the way."""

    root: Path
    names: frozenset[str]
    problems: Problems = field(default_factory=Problems)
    broken: set[str] = field(default_factory=set)

    def parsed(self, name: str, parser: Callable[[str], T], empty: T) -> T:
        """The parsed file `name`; `empty` when it is absent or has problems, which are kept."""
        if name not in self.names:
            return empty
        try:
            return parser(text(self.root / name, name))
        except InputError as error:
            self.problems.lines.extend(error.details or (error.message,))
            self.broken.add(name)
            return empty

    def contents(self) -> Mapping[str, str | None]:
        """The listing, with the contents of the files that detection looks into."""
        wanted = (name for name in sorted(self.names) if buildpacks.wanted(name))
        texts = {name: self.parsed(name, str, "") for name in wanted if name not in self.broken}
        return {name: texts.get(name) for name in self.names}


@dataclass(frozen=True, slots=True)
class _Made:
    """What is built and run."""

    stack: str
    processes: tuple[ProcessType, ...]
    release: ProcessType | None
    builds: tuple[DockerBuild, ...] = ()
    build_config: Mapping[str, str] = field(default_factory=frozen)
    buildpacks: tuple[Buildpack, ...] = ()
    one_offs: tuple[ProcessType, ...] = ()
    warnings: tuple[str, ...] = ()


def load(root: Path, environment: str | None = None, home: Path | None = None) -> App:
    """Read the app in the folder `root`; `environment` is app.json's `review` or `test`.

    `home` is the work tree that `root`, a copy of a commit, belongs to: .env and what git says of the name are taken
    from there. Raises one InputError with every problem of every file.
    """
    folder = _open(root)
    types = folder.parsed("Procfile", procfile.parse, Procfile())
    manifest = folder.parsed("app.json", lambda text: app_json.parse(text, environment=environment), AppJson())
    yml = folder.parsed("heroku.yml", heroku_yml.parse, HerokuYml())
    own = folder if home is None else replace(_open(home), problems=folder.problems)
    dotenv = own.parsed(".env", config_vars.parse_dotenv, ConfigVars(EMPTY, EMPTY))
    made = None
    if not folder.broken & {"app.json", "heroku.yml"}:  # they decide what is built
        try:
            made = _make(folder, types, manifest, yml)
        except InputError as error:
            if not error.details and not folder.problems.lines:
                raise
            folder.problems.lines.extend(error.details or (error.message,))
    folder.problems.raise_if_any("the app's files", "mend the lines above and run the same command again")
    assert made is not None
    warnings = (*types.warnings, *manifest.warnings, *yml.warnings, *made.warnings, *_misspelt(folder))
    return _app(root, home or root, made, manifest, yml, dotenv, warnings)


def _app(
    root: Path,
    home: Path,
    made: _Made,
    manifest: AppJson,
    yml: HerokuYml,
    dotenv: ConfigVars,
    warnings: tuple[str, ...],
) -> App:
    is_container = made.stack == "container"
    known = {type_.name for type_ in (*made.processes, *made.one_offs, *((made.release,) if made.release else ()))}
    unknown = (name for name in manifest.formation if name not in known)
    config, folder_name = _git(home.resolve())
    return App(
        name=naming.choose(manifest.name, naming.heroku_remote(config), folder_name),
        root=root,
        stack=made.stack,
        processes=made.processes,
        release=made.release,
        formation=manifest.formation,
        env=_env(manifest, yml) if is_container else manifest.env,
        dotenv=dotenv,
        addons=_addons(manifest, yml) if is_container else manifest.addons,
        builds=made.builds,
        build_config=made.build_config,
        buildpacks=made.buildpacks,
        scripts=manifest.scripts,
        warnings=(*warnings, *(f"app.json: `formation` names `{name}`, which is no process type" for name in unknown)),
        one_offs=made.one_offs,
    )


def _open(root: Path) -> _Folder:
    try:
        return _Folder(root, frozenset(entry.name for entry in root.iterdir()))
    except OSError as error:
        hint = "name the app's folder with --app-dir"
        raise InputError(f"cannot read the folder `{root}`: {_reason(error)}", hint) from error


def text(path: Path, where: str) -> str:
    """The text of a file; raises InputError with the line that is not text."""
    try:
        if path.is_dir():
            raise InputError(f"{where}: a folder, where a file is expected")
        if not path.is_file():  # a pipe would never end, a socket cannot be opened
            raise InputError(f"{where}: not a file, or a link to nothing")
        if path.stat().st_size > _LIMIT:
            raise InputError(f"{where}: larger than {_LIMIT // 1024 // 1024} MB")
        data = path.read_bytes()
    except OSError as error:
        raise InputError(f"{where}: {_reason(error)}") from error
    if (zero := data.find(b"\0")) >= 0:
        raise InputError(f"{where}:{data.count(10, 0, zero) + 1}: a NUL byte, so this is not a text in UTF-8")
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        line = data.count(10, 0, error.start) + 1
        raise InputError(f"{where}:{line}: not UTF-8; save the file in that encoding") from error


def _reason(error: OSError) -> str:
    return (error.strerror or str(error)).lower()


def _make(folder: _Folder, types: Procfile, manifest: AppJson, yml: HerokuYml) -> _Made:
    if manifest.stack == "container" or yml.builds:
        return _container(folder, manifest, yml)
    warnings = []
    if "heroku.yml" in folder.names:
        warnings.append("heroku.yml: ignored, because it has no `build: docker:` section")
    if (folder.root / "Dockerfile").is_file():
        told = manifest.buildpacks or manifest.stack  # app.json says that no Dockerfile builds the app
        if not types.types and "Procfile" not in folder.broken and not told:
            warnings.append("Dockerfile: Heroku builds it only with a heroku.yml: `build: {docker: {web: Dockerfile}}`")
            return _dockerfile((ProcessType("web", "", "Dockerfile"),), None, warnings)
        if not told and buildpacks.language_of(folder.contents()) is None:
            return _dockerfile(*_split(types.types), warnings)
        warnings.append(
            "Dockerfile: ignored, as by Heroku, for a buildpack builds the app; to use it, name it in a heroku.yml"
        )
    return _buildpack(folder, types, manifest, warnings)


def _dockerfile(processes: tuple[ProcessType, ...], release: ProcessType | None, warnings: list[str]) -> _Made:
    lone = (DockerBuild("web", "Dockerfile"),)
    return _Made("container", processes, release, lone, warnings=tuple(warnings))


def _container(folder: _Folder, manifest: AppJson, yml: HerokuYml) -> _Made:
    problems, warnings = Problems(), list[str]()
    if "Procfile" in folder.names:
        warnings.append("Procfile: ignored on the container stack, where heroku.yml or the Dockerfile tells what runs")
    if manifest.stack not in (None, "container"):
        warnings.append(
            f"app.json: the stack is `{manifest.stack}`, yet heroku.yml builds an image: `container` is taken"
        )
    builds, run = yml.builds, yml.run
    if not builds:
        builds, run = (DockerBuild("web", "Dockerfile"),), run or (ProcessType("web", "", "Dockerfile"),)
    for build in builds:
        if not (folder.root / build.dockerfile).is_file():
            where = "heroku.yml" if yml.builds else "app.json"
            problems.add(where, f"there is no file `{build.dockerfile}` to build `{build.type}` from")
    problems.raise_if_any("the app's files")
    return _Made("container", run, yml.release, builds, yml.build_config, warnings=tuple(warnings))


def _buildpack(folder: _Folder, types: Procfile, manifest: AppJson, warnings: list[str]) -> _Made:
    found = buildpacks.detect(folder.contents(), manifest.buildpacks)
    defaults = found[-1].default_types
    chosen = {type_.name: type_ for type_ in types.types}
    processes, release = _split((*types.types, *(type_ for type_ in defaults if type_.name not in chosen)))
    one_offs = tuple(type_ for type_ in defaults if type_.name in buildpacks.ONE_OFFS and type_.name not in chosen)
    processes = tuple(type_ for type_ in processes if type_ not in one_offs)
    if not processes and not release and not folder.broken:
        hint = "write a file named `Procfile` with a line such as `web: <the command that starts your server>`"
        raise InputError(f"the app has no process types, and {found[-1].language} brings none", hint)
    stack = manifest.stack or DEFAULT_STACK
    if stack in _ENDED_STACKS:
        warnings.append(f"app.json: `{stack}` has reached its end of life on Heroku; `{DEFAULT_STACK}` is the default")
    warnings.extend(warning for buildpack in found for warning in buildpack.warnings)
    return _Made(stack, processes, release, buildpacks=found, one_offs=one_offs, warnings=tuple(warnings))


def _split(types: tuple[ProcessType, ...]) -> tuple[tuple[ProcessType, ...], ProcessType | None]:
    """The running types, and the release phase."""
    release = next((type_ for type_ in types if type_.name == "release"), None)
    return tuple(type_ for type_ in types if type_ is not release), release


def _env(manifest: AppJson, yml: HerokuYml) -> tuple[EnvEntry, ...]:
    named = {entry.name for entry in manifest.env}
    plain = (EnvEntry(name, value, source="heroku.yml") for name, value in yml.config.items() if name not in named)
    return (*manifest.env, *plain)


def _addons(manifest: AppJson, yml: HerokuYml) -> tuple[AddonRef, ...]:
    named = {(ref.service, ref.attachment) for ref in manifest.addons}
    return (*manifest.addons, *(ref for ref in yml.addons if (ref.service, ref.attachment) not in named))


def _misspelt(folder: _Folder) -> tuple[str, ...]:
    """Files that Heroku does not see because of their names."""
    right = {name.lower(): name for name in ("Procfile", "app.json", "heroku.yml")} | {
        "procfile.txt": "Procfile",
        "heroku.yaml": "heroku.yml",
    }
    seen = ((name, right.get(name.lower())) for name in sorted(folder.names))
    return tuple(
        f"{name}: Heroku does not read it; its name must be `{wanted}`"
        for name, wanted in seen
        if wanted and wanted != name and wanted not in folder.names
    )


def _git(root: Path) -> tuple[str, str]:
    """The text of the git config, and the folder's name: in another worktree, that of the main one."""
    git, folder_name = root / ".git", root.name
    try:
        if git.is_file():  # a worktree or submodule: `gitdir: <path>`
            git = root / git.read_text(errors="replace").removeprefix("gitdir:").strip()
            if (git / "commondir").is_file():
                git = (git / (git / "commondir").read_text(errors="replace").strip()).resolve()
                folder_name = git.parent.name if git.name == ".git" else folder_name
        return (git / "config").read_text(errors="replace"), folder_name
    except (OSError, ValueError):
        return "", folder_name  # no repository, or one that cannot be read: its remote is only one way to a name
