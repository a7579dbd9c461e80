"""Which buildpacks build an app, by the files of its root (heroku.md section 7.1)."""

import re
from collections.abc import Callable, Mapping
from fnmatch import fnmatch

from devenv.base.errors import InputError, Problems
from devenv.heroku import languages
from devenv.heroku.languages import Files
from devenv.heroku.model import Buildpack, Language

ONE_OFFS = frozenset({"rake", "console"})

# Heroku's order of detection; the first match builds the app.
_DETECT: Mapping[Language, tuple[str, ...]] = {
    "ruby": ("Gemfile",),
    "nodejs": ("package.json",),
    "clojure": ("project.clj",),
    "python": (
        *("requirements.txt", "Pipfile", "Pipfile.lock", "poetry.lock", "uv.lock"),
        *("pyproject.toml", "setup.py", ".python-version", "runtime.txt", "manage.py"),
    ),
    "java": ("pom.xml", "pom.atom", "pom.clj", "pom.groovy", "pom.rb", "pom.scala", "pom.yaml", "pom.yml", "mvnw"),
    "gradle": ("gradlew", "build.gradle", "build.gradle.kts", "settings.gradle", "settings.gradle.kts"),
    "scala": ("*.sbt",),
    "php": ("composer.json", "index.php"),
    "go": ("go.mod", "Gopkg.lock", "glide.yaml"),
    "dotnet": ("*.sln", "*.slnx", "*.csproj", "*.fsproj", "*.vbproj"),
}

_READ: Mapping[Language, Callable[[Files, Problems], Buildpack]] = {
    "ruby": languages.ruby,
    "nodejs": languages.nodejs,
    "clojure": languages.clojure,
    "python": languages.python,
    "java": languages.java,
    "gradle": languages.gradle,
    "scala": languages.scala,
    "php": languages.php,
    "go": languages.go,
    "dotnet": languages.dotnet,
}

# The files whose contents `detect` looks into; of all others the name is enough.
WANTED = (
    *("Gemfile.lock", "package.json", "runtime.txt", ".python-version", "Pipfile.lock", "pom.xml", "system.properties"),
    *("build.gradle", "build.gradle.kts", "build.sbt", "composer.json", "go.mod", "global.json", "Procfile"),
    *("*.csproj", "*.fsproj", "*.vbproj"),
)

# `heroku/python`, its shorthand, archive, and repository URLs; a fork may do anything and counts as custom.
_OFFICIAL = re.compile(
    r"(?:urn:buildpack:)?heroku/(?P<short>\w+)"
    r"|https://buildpack-registry\.s3\.amazonaws\.com/buildpacks/heroku/(?P<archive>\w+)\.tgz"
    r"|(?:https://|git://|ssh://git@|git@)github\.com[/:]heroku/heroku-buildpack-(?P<repository>\w+?)(?:\.git)?/?(?:#.*)?"
)


def wanted(name: str) -> bool:
    """Whether `detect` needs the contents of the file `name`."""
    return any(fnmatch(name, pattern) for pattern in WANTED)


def language_of(files: Files) -> Language | None:
    """The language Heroku's detection finds in a listing of the root, or None."""
    return next((language for language in _DETECT if _matches(language, files)), None)


def detect(files: Files, chosen: tuple[str, ...] = ()) -> tuple[Buildpack, ...]:
    """The buildpacks of an app, in order: the chosen ones, else the detected one.

    `files` maps the names in the root to contents, None for those not `wanted`. Raises InputError with every conflict.
    """
    problems = Problems()
    languages_ = _chosen(chosen, files, problems)
    if not chosen:
        detected = language_of(files)
        if detected is None:
            raise InputError("no default language could be detected for this app", _HINT)
        languages_ = (detected,)
    found = tuple(_READ[language](files, problems) for language in languages_)
    problems.raise_if_any("the app's files")
    return found


_HINT = (
    "add the file that tells the language, in the app's root: `Gemfile`, `package.json`, `requirements.txt`,\n"
    "`pom.xml`, `composer.json`, `go.mod`, …; or a `Dockerfile`, which builds any app"
)


def _matches(language: Language, files: Files) -> bool:
    return any(fnmatch(name, pattern) for pattern in _DETECT[language] for name in files)


def _chosen(chosen: tuple[str, ...], files: Files, problems: Problems) -> tuple[Language, ...]:
    found: list[Language] = []
    for url in chosen:
        match = _OFFICIAL.fullmatch(url)
        name = next(filter(None, match.groups()), "") if match else ""
        language = next((known for known in _DETECT if known == name), None)
        if language is None:
            instead = "build the app from a Dockerfile, with a `heroku.yml`: `build: {docker: {web: Dockerfile}}`"
            problems.add("app.json", f"the buildpack `{url}` cannot run here", instead)
        elif not _matches(language, files):
            known = " or ".join(f"`{pattern}`" for pattern in _DETECT[language])
            problems.add("app.json", f"the app is not compatible with buildpack `{url}`", f"it looks for {known}")
        else:
            found.append(language)
    return tuple(found)
