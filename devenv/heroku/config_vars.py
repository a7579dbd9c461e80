"""Config vars: reading `.env`, the rules for names and sizes, quoting and masking (heroku.md section 2)."""

import base64
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from urllib.parse import unquote

from devenv.base.errors import Problems
from devenv.heroku.document import Path, from_json
from devenv.heroku.model import ConfigVars, frozen

LIMIT = 64 * 1024  # bytes of all names and values of an app
MASK = "***"

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_TAIL = r"[ \t]*(?:#[^\r\n]*)?(?=[\r\n]|\Z)"
# `heroku config -s` writes '…' literally, python-dotenv escapes quotes within: the second reads what the first cannot
_SINGLE = (re.compile(rf"'([^']*)'{_TAIL}"), re.compile(rf"'((?:\\.|[^'\\])*)'{_TAIL}", re.DOTALL))
_DOUBLE = re.compile(rf'"((?:\\.|[^"\\])*)"{_TAIL}', re.DOTALL)
_ESCAPES = {**{c: c for c in "\\\"'$`!"}, "n": "\n", "r": "\r", "t": "\t", "a": "\a", "b": "\b", "f": "\f", "v": "\v"}

# What JavaScript calls white space (\s), which is what the CLI tests for; Python's \s is another set.
_JS_SPACE = "\t\n\v\f\r \u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff"
_NEEDS_QUOTES = re.compile(rf"""["#!$&'()*,:;<=>?@\[\\\]^`{{|}}{_JS_SPACE}]""")
_URL_LOGIN = re.compile(r"(?<=://)[^\s/@:'\"]*:[^\s/@'\"]+(?=@)")


def name_problem(name: str) -> str | None:
    """What is wrong with the characters of a config var's name, or None. Heroku's own prefixes are fine here."""
    if _NAME.fullmatch(name):
        return None
    is_word = re.fullmatch(r"[A-Za-z0-9_][\w.-]{0,40}", name)  # anything else may be part of a secret
    shown = f"`{name}`" if is_word else "this"
    return f"{shown} is not a config var's name: it takes letters, digits and `_`, and no digit first"


def validate_name(name: str) -> str | None:
    """What is wrong with a name that a user sets, or None."""
    if what := name_problem(name):
        return what
    for prefix in ("__", "HEROKU_"):
        if name.startswith(prefix):
            return f"`{name}` begins with `{prefix}`, which Heroku keeps for itself"
    return None


def size_problem(values: Mapping[str, str]) -> str | None:
    """What is wrong with the size of all config vars together, or None."""
    total = sum(len((name + value).encode(errors="surrogatepass")) for name, value in values.items())
    return f"the config vars hold {total} bytes, and Heroku takes {LIMIT}" if total > LIMIT else None


def parse_dotenv(text: str, where: str = ".env") -> ConfigVars:
    """The config vars of a `.env` file, each with its origin `.env:3`; raises InputError listing every problem."""
    problems = Problems()
    values: dict[str, str] = {}
    origins: dict[str, str] = {}
    # the CLI never writes a bare newline within quotes: a CR LF is an editor's line end, wherever it is
    text = text.removeprefix("\ufeff").replace("\r\n", "\n")
    pairs = _json_pairs(text, where, problems) if text.lstrip().startswith("{") else _pairs(text, where, problems)
    for name, value, at in pairs:
        if what := name_problem(name):
            problems.add(at, what)
        elif "\0" in value:
            problems.add(at, f"the value of `{name}` has a NUL byte", "leave it out")
        else:
            values[name], origins[name] = value, at
    if what := size_problem(values):
        problems.add(where, what, "move large values into files or an add-on")
    problems.raise_if_any(where)
    return ConfigVars(frozen(values), frozen(origins))


def _json_pairs(text: str, where: str, problems: Problems) -> Iterator[tuple[str, str, str]]:
    """A file that is JSON as a whole, as `heroku local` takes it; a plain object comes from `heroku config --json`."""
    document = from_json(text, where)

    def walk(value: object, path: Path) -> Iterator[tuple[str, str, str]]:
        if isinstance(value, dict | list):
            for key, item in value.items() if isinstance(value, dict) else enumerate(value):
                yield from walk(item, (*path, key))
        elif value is None:
            problems.add(document.at(*path), f"`{path[-1]}` is null", "write a string")
        else:
            name = str(path[0]) if len(path) == 1 else "_".join(map(str, path)).upper()
            yield name, value if isinstance(value, str) else json.dumps(value), document.at(*path)

    yield from walk(document.tree, ())


def _pairs(text: str, where: str, problems: Problems) -> Iterator[tuple[str, str, str]]:
    position, line = 0, 1
    while position < len(text):
        end = _line_end(text, position)
        head, equals, _ = text[position:end].partition("=")
        name = re.sub(r"^export[ \t]+", "", head.strip()).strip("'\"")
        at = f"{where}:{line}"
        if not head.strip().startswith("#") and text[position:end].strip():
            if equals:
                value, end = _value(text, position + len(head) + 1, end, at, problems)
                if value is not None:
                    yield name, value, at
            elif re.fullmatch(r"[A-Z][A-Z0-9_]*", name):
                yield name, "", at  # as `heroku local` reads it
            else:
                problems.add(at, "a line without `=`", "write `NAME=value`, and quotes around a value of several lines")
        line += len(re.findall(r"[\r\n]", text[position : end + 1]))
        position = end + 1


def _line_end(text: str, position: int) -> int:
    match = re.compile(r"[\r\n]").search(text, position)
    return match.start() if match else len(text)


def _value(text: str, start: int, end: int, at: str, problems: Problems) -> tuple[str | None, int]:
    """The value that begins at `start`, and where it ends; None after a problem. `end` is the end of its line."""
    raw = text[start:end]
    bare = re.sub(r"[ \t]+#.*", "", raw).strip(" \t\v\f")
    opening = start + len(raw) - len(raw.lstrip(" \t"))
    quote = bare[:1]
    if quote and quote in "'\"":
        for pattern in _SINGLE if quote == "'" else (_DOUBLE,):
            if match := pattern.match(text, opening):
                escapes = pattern is not _SINGLE[0]
                return _unescape(match[1], quote) if escapes else match[1], _line_end(text, match.end())
        closed = text.find(quote, opening + 1, end) > 0
        problems.add(at, *(_AFTER_QUOTE if closed else _OPEN_QUOTE))
        return None, end
    if bare.startswith("-----BEGIN ") and "-----END" not in bare:
        problems.add(at, "a value of several lines without quotes", 'write `"` before and after it')
        last = text.find("-----END", end)
        return None, _line_end(text, last) if last > 0 else end
    return bare, end


_AFTER_QUOTE = ("text after the closing quote", "put a `\\` before a quote within the value, or use the other quotes")
_OPEN_QUOTE = ("a quote is opened and not closed", "close it, or leave both out")


def _unescape(value: str, quote: str) -> str:
    known = "\\'" if quote == "'" else _ESCAPES
    return re.sub(r"\\(.)", lambda m: _ESCAPES[m[1]] if m[1] in known else m[0], value, flags=re.DOTALL)


def shell_quote(value: str) -> str:
    """A value as `heroku config --shell` writes it (CLI 11.9.0, src/lib/config/quote.ts)."""
    if not _NEEDS_QUOTES.search(value):
        return value
    if "'" not in value and "\n" not in value:
        return f"'{value}'"
    return '"' + re.sub(r'(["\\$`!])', r"\\\1", value).replace("\n", "\\n") + '"'


def redact(text: str, values: ConfigVars | Mapping[str, str] | Iterable[str]) -> str:
    """`text` with every value of 6 characters and more masked, also its lines and password, and any URL's login."""
    if isinstance(values, ConfigVars):
        values = values.values
    secrets: set[str] = set()
    for value in values.values() if isinstance(values, Mapping) else values:
        secrets.update(
            (value, base64.b64encode(value.encode(errors="surrogatepass")).decode() if len(value) >= 6 else "")
        )
        secrets.update(line for line in value.splitlines() if len(line) >= 16)  # output comes line by line
        for login in _URL_LOGIN.findall(value):
            password = login.partition(":")[2]
            secrets.update((login, password, unquote(password)))
    longest_first = sorted((secret for secret in secrets if len(secret) >= 6), key=len, reverse=True)
    if longest_first:
        text = re.sub("|".join(map(re.escape, longest_first)), MASK, text)
    return _URL_LOGIN.sub(f"{MASK}:{MASK}", text)
