"""Which change does what: `.devenv/profile.yaml` first, then what the app's languages need, then a plain copy."""

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

Do = Literal["sync", "restart", "rebuild", "ignore"]
RELEASE = "release"  # as `run`: the release phase's command

REBUILD: Mapping[str, tuple[str, ...]] = {
    "any": ("/Procfile", "/app.json", "/heroku.yml", ".dockerignore", "/.slugignore", "/.buildpacks", "/project.toml"),
    "python": (
        *("requirements.txt", "**/requirements/*.txt", "Pipfile", "Pipfile.lock", "poetry.lock", "uv.lock"),
        *("pyproject.toml", "setup.py", "setup.cfg", "/.python-version", "/runtime.txt"),
    ),
    "nodejs": (
        *("package.json", "package-lock.json", "npm-shrinkwrap.json", "yarn.lock", "pnpm-lock.yaml"),
        *(".npmrc", ".yarnrc*", "/.nvmrc"),
    ),
    "ruby": ("Gemfile", "Gemfile.lock", "/.ruby-version", "/app/assets/**", "/app/javascript/**"),
    "go": ("*.go", "go.mod", "go.sum", "/vendor/**"),
    "php": ("composer.json", "composer.lock"),
    "java": ("*.java", "*.kt", "pom.xml", "*.properties", "/src/**"),
    "gradle": ("*.java", "*.kt", "*.gradle", "*.kts", "*.properties", "/src/**"),
    "scala": ("*.scala", "*.sbt", "/conf/**"),
    "clojure": ("*.clj", "*.cljc", "*.cljs", "*.edn"),
    "dotnet": ("*.cs", "*.fs", "*.csproj", "*.sln", "*.cshtml", "*.razor"),
    # whatever it builds: what names dependencies
    "a Dockerfile": (
        "go.mod",
        "go.sum",
        "composer.json",
        "composer.lock",
        "pom.xml",
        "*.gradle",
        "*.gradle.kts",
        "gradle.lockfile",
        "*.sbt",
        "project.clj",
        "deps.edn",
        "*.csproj",
        "*.fsproj",
        "packages.lock.json",
        "Cargo.toml",
        "Cargo.lock",
        "mix.exs",
        "mix.lock",
    ),
}
# the image has what was made of it
COMPILED: Mapping[str, tuple[str, ...]] = {
    "nodejs": ("*.ts", "*.tsx", "*.jsx", "*.vue", "*.svelte", "*.scss", "*.less"),
    "a Dockerfile": (
        *("*.go", "*.rs", "*.java", "*.kt", "*.scala", "*.cs", "*.fs", "*.swift", "*.ex"),
        *("*.c", "*.h", "*.cc", "*.cpp", "*.hpp"),
    ),
}
MIGRATIONS = ("**/migrations/**", "/db/migrate/**", "/prisma/schema.prisma")
# read at start, or kept in memory once read (Flask, Django, Express and Rails outside of their development modes)
RESTART: Mapping[str, tuple[str, ...]] = {
    "any": ("/.profile", "/.profile.d/**"),
    "python": ("*.py",),
    "nodejs": ("*.js", "*.mjs", "*.cjs", "*.json"),
    "ruby": ("*.rb", "*.ru", "*.rake", "/config/**"),
}
VIEWS = ("*.html", "*.jinja", "*.jinja2", "*.j2", "*.ejs", "*.pug", "*.hbs", "*.erb", "*.haml", "*.slim", "*.tmpl")
# served as they are
STATIC = ("/public/**", "**/static/**", "/assets/**")
# commands that compile what changed by themselves
COMPILING: Mapping[str, str] = {
    "nodejs": r"\btsx watch\b|next dev|nuxt dev|\bvite\b(?! preview| build)",
    "a Dockerfile": r"\bair\b|\b(?:cargo|dotnet) watch\b",
}
SELF_RELOADING = re.compile(
    r"--reload\b|\bnodemon\b|\bnode(?:js)? (?:.* )?--watch|manage\.py runserver(?!.*--noreload)|flask .*--debug"
    rf"|\brerun\b|watchmedo|watchfiles|{'|'.join(COMPILING.values())}"
)


@dataclass(frozen=True)
class Rule:
    """Paths that match (gitignore patterns, from the app's folder) and what their change does."""

    match: tuple[str, ...]
    do: Do
    source: str  # ".devenv/profile.yaml: sync[0]", "default for python"
    types: tuple[str, ...] = ()  # the process types it restarts; () = all
    run: str | None = None  # before the restart: a command, or `release`
    once: bool = False  # in one pod, instead of in each
    back: bool = False  # what a process writes there comes back to the work tree
    own: bool = False  # the app's, not a default

    @cached_property
    def _spec(self) -> Any:
        import pathspec

        return pathspec.GitIgnoreSpec.from_lines(self.match)

    def matches(self, path: str) -> bool:
        """Whether the rule is for this path."""
        return bool(self._spec.match_file(path))


COPY = Rule(("*",), "sync", "everything else")
FIXED = Rule(
    ("*",), "rebuild", "default: a process runs the image's own command, without a shell that could take edits"
)


@dataclass(frozen=True)
class Rules:
    """An app's rules; the first one that matches a path decides."""

    rules: tuple[Rule, ...]
    _seen: dict[str, Rule] = field(default_factory=dict, compare=False, repr=False)

    def of(self, path: str) -> Rule:
        """The rule of a path."""
        if (known := self._seen.get(path)) is None:
            known = next((rule for rule in self.rules if rule.matches(path)), COPY)
            if len(self._seen) < 10_000:  # the files that somebody edits, not all that there are
                self._seen[path] = known
        return known

    @property
    def back(self) -> tuple[Rule, ...]:
        """The rules whose files come back from the pods."""
        return tuple(rule for rule in self.rules if rule.back)


def rules(
    own: Iterable[Mapping[str, Any]],
    languages: Collection[str],
    has_release: bool,
    recipe: Collection[str] = (),
    fixed: bool = False,
    commands: Collection[str] = (),
) -> Rules:
    """The rules of an app: its profile's `sync` entries, then the defaults. Without languages (a Dockerfile) all of them count.

    `recipe`: the files that tell how its image is built. `fixed`: a process type that takes no edits runs it.
    `commands`: of the process types that run it.
    """
    mine = [_own(entry, f"sync[{index}]") for index, entry in enumerate(own)]
    if fixed:  # those behind it tell only what comes back from a one-off
        mine = [*(rule for rule in mine if rule.do == "ignore"), FIXED, *mine]
    known = ("any", *languages) if languages else (*RESTART, "a Dockerfile")
    made = [
        Rule(tuple(f"/{path}" for path in recipe), "rebuild", "default: the image is built by it"),
        *(Rule(REBUILD[each], "rebuild", _default(each)) for each in known if each in REBUILD),
        *(Rule(COMPILED[each], "rebuild", f"{_default(each)}: compiled") for each in known if _builds(each, commands)),
        Rule(STATIC, "sync", "default: served as it is"),
        Rule(
            MIGRATIONS,
            "restart",
            "default: a migration",
            run=RELEASE if has_release else None,
            once=True,
            back=True,
        ),
        *(Rule(RESTART[each], "restart", _default(each)) for each in known if each in RESTART),
        Rule(VIEWS, "restart", "default: a template, kept in memory once read", types=("web",)),
    ]
    return Rules((*mine, *made))


def _builds(language: str, commands: Collection[str]) -> bool:
    if language not in COMPILED:
        return False
    return not commands or not all(re.search(COMPILING[language], each) for each in commands)


def _default(language: str) -> str:
    return "default" if language == "any" else f"default for {language}"


def _own(entry: Mapping[str, Any], where: str) -> Rule:
    match = entry["match"]
    types = entry.get("types", ())
    run = entry.get("run")
    return Rule(
        (match,) if isinstance(match, str) else tuple(match),
        entry.get("do", "restart" if run else "sync"),
        f".devenv/profile.yaml {where}",
        (types,) if isinstance(types, str) else tuple(types),
        run,
        run == RELEASE or bool(entry.get("once", False)),  # no pod has a program of that name
        bool(entry.get("back", False)),
        own=True,
    )


def reloads_itself(command: str, config: Mapping[str, str]) -> bool:
    """Whether a process watches its own files, so that nobody else must start it again."""
    if SELF_RELOADING.search(command) or config.get("FLASK_DEBUG") == "1":
        return True
    rails = re.search(r"\b(rails s|rails server|puma|bin/rails)\b", command)
    return bool(rails) and config.get("RAILS_ENV", config.get("RACK_ENV")) == "development"
