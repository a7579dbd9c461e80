"""Config vars that an app's code reads: where app.json is silent, they tell which add-ons it was given on Heroku."""

import re
from collections.abc import Collection, Iterable, Mapping

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
LARGEST = 256 * 1024  # bytes; a larger file is generated


def candidates(files: Iterable[str]) -> list[str]:
    """The paths worth reading, in order: source files of the app's own that may run on Heroku."""
    return sorted(path for path in files if path.endswith(SUFFIXES) and not APART & set(path.split("/")[:-1]))


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
