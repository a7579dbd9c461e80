"""Config vars that an app's code reads and libraries that it asks for: where app.json is silent, they tell its add-ons on Heroku."""

import re
from collections.abc import Collection, Iterable, Mapping
from fnmatch import fnmatch

SUFFIXES = (
    ".py",
    ".rb",
    ".js",
    ".mjs",
    ".cjs",
    ".ts",
    ".jsx",
    ".tsx",
    ".go",
    ".php",
    ".java",
    ".kt",
    ".ex",
    ".exs",
    ".yml",
    ".erb",
)
# code that runs elsewhere, or that nobody here wrote
APART = {
    "node_modules",
    "vendor",
    "test",
    "tests",
    "spec",
    "__tests__",
    "docs",
    ".github",
    ".circleci",
    "dist",
    "build",
}
# where an app says which libraries it uses, and what these bring along
DEPENDENCIES = {
    *("Pipfile", "Pipfile.lock", "pyproject.toml", "poetry.lock", "uv.lock", "setup.py", "setup.cfg"),
    *("package.json", "package-lock.json", "npm-shrinkwrap.json", "yarn.lock", "pnpm-lock.yaml"),
    *("Gemfile", "Gemfile.lock", "go.mod", "composer.json", "mix.exs", "pom.xml", "build.gradle", "build.gradle.kts"),
}
COMMENT = re.compile(r"(^|\s)(#|//).*", re.MULTILINE)
LARGEST = 256 * 1024  # bytes; a larger file is generated


def candidates(files: Iterable[str]) -> list[str]:
    """The paths worth reading, in order: source files of the app's own that may run on Heroku."""
    return sorted(path for path in files if path.endswith(SUFFIXES) and _own(path))


def dependencies(files: Iterable[str]) -> list[str]:
    """The paths that list the app's libraries, in order; a Dockerfile, which may install more, only beside another one."""
    found = sorted(path for path in files if _own(path))
    names = {path: path.rpartition("/")[2] for path in found}
    lists = [path for path in found if names[path] in DEPENDENCIES or fnmatch(path, "*requirements*.txt")]
    return lists and lists + [path for path in found if names[path].startswith("Dockerfile")]


def uses(text: str, libraries: Collection[str]) -> bool:
    """Whether a list of dependencies names one of `libraries`, outside of comments."""
    pattern = r"(?<![a-zA-Z0-9])(" + "|".join(map(re.escape, libraries)) + r")(?![a-zA-Z0-9])"
    return re.search(pattern, COMMENT.sub("", text), re.IGNORECASE) is not None


def _own(path: str) -> bool:
    return not APART & set(path.split("/")[:-1])


def reads(text: str, names: Collection[str]) -> Mapping[str, int]:
    """Those of `names` that the code reads, with the line of the first time: `"NAME"`, `'NAME'`, `process.env.NAME`, `${NAME}`."""
    if not names:
        return {}
    pattern = re.compile(
        r"(?:[\"'`]|\benv\.|\$\{)(" + "|".join(map(re.escape, sorted(names, key=len, reverse=True))) + r")\b"
    )
    found: dict[str, int] = {}
    for match in pattern.finditer(text):
        found.setdefault(match[1], text.count("\n", 0, match.start()) + 1)
    return found
