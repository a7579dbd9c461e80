"""The images a Dockerfile starts from, and what stands in for the well-known ones where none can be pulled."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

# repository -> family; all are Debian or Ubuntu, as the stack is
FAMILIES: Mapping[str, str] = {
    "python": "python",
    "node": "node",
    "golang": "golang",
    "ruby": "ruby",
    "debian": "debian",
    "ubuntu": "debian",
    "buildpack-deps": "debian",
    "heroku/heroku": "debian",
}
_VARIABLE = re.compile(r"\$(?:(\w+)|\{(\w+)(?::([-+])([^}]*))?\})")
_FLAG = re.compile(r"--\w[\w-]*(?:=\S+)?\s+")


@dataclass(frozen=True, slots=True)
class Base:
    """A well-known image: what it brings and in which version ("" when its tag names none)."""

    reference: str
    family: str
    version: str
    alpine: bool


def external(text: str, args: Mapping[str, str]) -> tuple[str, ...]:
    """The images a Dockerfile takes from elsewhere: FROM, COPY --from and RUN --mount from. `args` are build args."""
    values: dict[str, str] = {}
    stages: set[str] = set()
    found: list[str] = []
    for word, rest in instructions(text):
        if word == "ARG" and not stages:
            name, given, default = rest.strip().partition("=")
            if name in args or given:
                values[name] = args.get(name, filled(default.strip().strip("\"'"), values))
        elif word == "FROM":
            plain = re.sub(r"^(?:" + _FLAG.pattern + ")*", "", rest.strip()).split()
            if plain:
                found += [filled(plain[0], values)] if plain[0].lower() not in stages else []
                stages.add(plain[2].lower() if len(plain) > 2 and plain[1].lower() == "as" else str(len(stages)))
        elif word in ("COPY", "RUN", "ADD"):
            found += [name for name in re.findall(r"(?:--|,)from=([^\s,]+)", rest) if name.lower() not in stages]
    names = (name for name in found if name and name != "scratch" and not name.isdigit())
    return tuple(dict.fromkeys(names))


def known(reference: str) -> Base | None:
    """What a reference is when it is one of the well-known images; None for any other."""
    name, _, _digest = reference.partition("@")
    name = re.sub(r"^(?:(?:index\.)?docker\.io/)?(?:library/)?", "", name)
    repository, _, tag = name.partition(":")
    family = FAMILIES.get(repository)
    if family is None:
        return None
    version = re.match(r"\d+(?:\.\d+)*", tag)
    return Base(reference, family, version[0] if version else "", "alpine" in tag)


def offline_text(text: str) -> tuple[str, str | None]:
    """The Dockerfile without a `# syntax=` line, which names an image to pull; and that image's name, if any."""
    lines = text.splitlines(keepends=True)
    for number, line in enumerate(lines):
        if not line.lstrip("\ufeff").startswith("#"):
            break
        if found := re.match(r"\ufeff?#\s*syntax\s*=\s*(\S+)", line, re.IGNORECASE):
            # an empty comment in its place keeps the line numbers of later errors
            return "".join([*lines[:number], "#\n", *lines[number + 1 :]]), found[1]
    return text, None


def instructions(text: str) -> list[tuple[str, str]]:
    """The instructions of a Dockerfile, as (word in capitals, the rest), lines joined and comments left out."""
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    joined = re.sub(r"\\[ \t]*\n", " ", "\n".join(lines))
    found = (re.match(r"\s*([A-Za-z]+)\s+(.*)", line) for line in joined.splitlines())
    return [(match[1].upper(), match[2]) for match in found if match]


def filled(text: str, values: Mapping[str, str]) -> str:
    """`text` with `$NAME`, `${NAME}`, `${NAME:-word}` and `${NAME:+word}` replaced; a name without a value is empty."""

    def value(match: "re.Match[str]") -> str:
        found = values.get(match[1] or match[2], "")
        if match[3] == "-":
            return found or match[4]
        return (match[4] if found else "") if match[3] == "+" else found

    return _VARIABLE.sub(value, text)
