"""The built-in stack builder: one Dockerfile, generated from what Heroku's buildpacks would do."""

import shlex
from collections.abc import Callable, Mapping, Sequence

from devenv.base.errors import InputError
from devenv.build import golang, node, python, ruby
from devenv.build.recipe import USER, Recipe, Run, Tree, render
from devenv.heroku.model import Buildpack

# versions of the languages in devenv.local/stack:24
PYTHON, GO, RUBY = "3.13", "1.24", "3.3"

# never taken from config vars: they would break the build itself (the list of Heroku's buildpacks, plus the shell's)
WITHHELD = frozenset(
    {
        "PATH",
        "GIT_DIR",
        "CPATH",
        "CPPATH",
        "LD_PRELOAD",
        "LD_LIBRARY_PATH",
        "LIBRARY_PATH",
        "BASH_ENV",
        "ENV",
        "HOME",
        "SHELLOPTS",
    }
)

_RECIPES: Mapping[str, Callable[[Buildpack, Tree, bool], Recipe]] = {
    "python": lambda pack, tree, stack: python.recipe(pack, tree, PYTHON if stack else None),
    "nodejs": lambda pack, tree, stack: node.recipe(pack, tree, stack),
    "go": lambda pack, tree, stack: golang.recipe(pack, tree, GO if stack else None),
    "ruby": lambda pack, tree, stack: ruby.recipe(pack, tree, RUBY if stack else None),
}
TITLES = {
    "python": "Python",
    "nodejs": "Node.js",
    "go": "Go",
    "ruby": "Ruby",
    "java": "Java",
    "php": "PHP",
    "dotnet": ".NET",
}


def recipes(buildpacks: Sequence[Buildpack], tree: Tree, stack: bool) -> tuple[Recipe, ...]:
    """What each buildpack adds, in order. Raises InputError for a language this builder does not know."""
    found = []
    for pack in buildpacks:
        make = _RECIPES.get(pack.language)
        if make is None:
            raise InputError(
                f"heroku/{pack.language} has no built-in builder; there is one for {', '.join(sorted(_RECIPES))}",
                "add a Dockerfile and a heroku.yml",
            )
        recipe = make(pack, tree, stack)
        if (
            pack.language == "ruby"
            and ruby.needs_node(tree)
            and all(other.language != "nodejs" for other in buildpacks)
        ):
            share = ruby.node_share(tree, stack)
            found.append(Recipe("", (), share.image, path=share.path, runtime=share.runtime, borrowed=share.borrowed))
        found.append(recipe)
    return tuple(found)


def title(buildpacks: Sequence[Buildpack]) -> str:
    """`Python app`: the name of the app in a build's messages."""
    last = buildpacks[-1].language if buildpacks else "unknown"
    return f"{TITLES.get(last, last.capitalize())} app"


def base_image(parts: Sequence[Recipe], stack_image: str | None) -> str:
    """The stack; with official images that of the language which cannot be borrowed, else of the last buildpack."""
    if stack_image:
        return stack_image
    firm = [part for part in parts if not part.borrowed]
    if len({part.image for part in firm}) > 1:
        names = " and ".join(part.title for part in firm)
        raise InputError(f"no one official image has {names}", "add a Dockerfile and a heroku.yml that builds from it")
    return firm[-1].image if firm else parts[-1].image


def dockerfile_text(buildpacks: Sequence[Buildpack], tree: Tree, stack_image: str | None) -> str:
    """The Dockerfile of a buildpack app. Without `stack_image` it starts from official language images."""
    parts = recipes(buildpacks, tree, stack_image is not None)
    base = base_image(parts, stack_image)
    blocks = [f"FROM {base}", 'SHELL ["/bin/bash", "-eo", "pipefail", "-c"]', _user()]
    for part in parts:
        if stack_image is None and part.borrowed and part.image != base:
            blocks += part.borrowed
        blocks += [render(run) for run in part.runtime]
    blocks += [_environment(parts), "WORKDIR /app", f"USER {USER}"]
    blocks += [render(run) for part in parts for run in part.prepare]
    blocks += _steps(parts)
    return (
        "# Generated from the app's files. What changes seldom comes first, so that a change moves few layers.\n"
        + "\n\n".join(blocks)
        + "\n"
    )


def _user() -> str:
    # the skeleton's .profile would be sourced by every dyno
    return (
        f"RUN getent passwd {USER} > /dev/null || useradd --uid {USER} --home-dir /app --shell /bin/bash app; \\\n"
        f"    mkdir -p /app && rm -f /app/.profile /app/.bashrc /app/.bash_logout && chown {USER} /app && chmod 755 /app"
    )


def _environment(parts: Sequence[Recipe]) -> str:
    values: dict[str, str] = {"HOME": "/app"}
    for part in parts:
        values |= part.env
    # a later buildpack's folders come first, as with the `export` files of Heroku's buildpacks
    front = [place for part in reversed(parts) for place in part.path]
    end = [place for part in parts for place in part.path_end]
    values["PATH"] = ":".join([*front, "$PATH", *end])
    return "ENV " + " \\\n    ".join(f"{name}={_word(value)}" for name, value in values.items())


def _word(value: str) -> str:
    return (
        value if all(char.isalnum() or char in "$/:._-+*" for char in value) else '"' + value.replace('"', '\\"') + '"'
    )


def _steps(parts: Sequence[Recipe]) -> list[str]:
    blocks: list[str] = []
    copied = False
    everything = f"COPY --chown={USER} . ."
    for part in parts:
        if not part.install:
            continue
        if part.manifests and not copied:
            blocks += _copies(part.manifests)
        elif not copied:
            blocks.append(everything)
            copied = True
        blocks += [render(run) for run in part.install]
    if not copied:
        blocks.append(everything)
    return blocks + [render(run) for run in _builds(parts)]


def _builds(parts: Sequence[Recipe]) -> list[Run]:
    return [run for part in parts for run in part.build]


def _copies(manifests: Sequence[str]) -> list[str]:
    """Files of one folder travel together; a folder keeps its name."""
    folders: dict[str, list[str]] = {}
    for path in manifests:
        place = path + "/" if path == "vendor/cache" else (path.rpartition("/")[0] + "/" if "/" in path else "./")
        folders.setdefault(place, []).append(path)
    return [f"COPY --chown={USER} {_names(names, place)}" for place, names in folders.items()]


def _names(names: Sequence[str], place: str) -> str:
    if any(" " in name for name in (*names, place)):
        return "[" + ", ".join(f'"{name}"' for name in (*names, place)) + "]"
    return " ".join((*names, place))


def secret(config: Mapping[str, str], stack: str, commit: str | None) -> str:
    """The shell text that build steps source: the config vars, as Cedar's builds see them, and the build's own."""
    values = {"STACK": stack, **({"SOURCE_VERSION": commit} if commit else {}), **config}
    names = (name for name in sorted(values) if name not in WITHHELD and name.isidentifier() and name.isascii())
    return "".join(f"export {name}={shlex.quote(values[name])}\n" for name in names)
