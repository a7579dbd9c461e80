"""BuildKit's plain progress in Heroku's shape: `-----> ` headings, seven blanks before detail, ` !     ` warnings."""

import re
from collections.abc import Callable, Sequence

from devenv.base.errors import BuildError

OnLine = Callable[[str], None]

HEADING = "-----> "
DETAIL = "       "
WARNING = " !     "
SHOWN = 12  # lines of a failed step that an error shows
KEPT = 400  # lines of a step's output kept for an error

_STEP = re.compile(r"#(\d+) \[([^\]]+)\] (.*)")
_TEXT = re.compile(r"#(\d+) \d+\.\d+ (.*)")
_CACHED = re.compile(r"#(\d+) CACHED")
_FAILED = re.compile(r"#(\d+) ERROR: (.*)")
_PLACE = re.compile(r"(?:.*\s)?(\d+/\d+)")
_MARK = re.compile(r"echo '-----> ([^']+)'")
_ERROR = re.compile(r"npm error code|ERROR: |error: |error\[|error TS")
_ANSI = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")

# what a failed build says -> the next step; first match wins
HINTS: tuple[tuple[str, str], ...] = (
    (
        r"CERTIFICATE_VERIFY_FAILED|self.signed certificate|unable to get local issuer|x509: certificate signed",
        "a proxy with its own certificate authority? name its file, in PEM form, in DEVENV_CA_FILE",
    ),
    (r"No space left on device", "free disk space: `docker system prune` removes unused images and build cache"),
    (
        r"failed to resolve source metadata for (\S*?devenv\.local/\S+?):? ",
        "the base image is not on this machine yet: `devenv cluster create` makes it",
    ),
    (
        r"failed to resolve source metadata|failed to do request|lookup \S+ on \S+: no such host|pull access denied",
        "an image this build starts from cannot be pulled: look at its name, the network and `docker login`",
    ),
    (
        r"No matching distribution found for (\S+)",
        "look at the name and version of `{0}`: the package index has no such release for this Python",
    ),
    (
        r"pg_config(?:\.exe)? executable not found|pg_config is required",
        "use `psycopg2-binary` or `psycopg[binary]`, which need no compiler",
    ),
    (
        r"`npm ci` can only install|package-lock\.json .*not in sync|npm error code EUSAGE",
        "`npm install`, then commit package-lock.json",
    ),
    (
        r"ERESOLVE",
        "two packages want different versions of a third: mend package.json, then commit the new lock file",
    ),
    (r"Missing script: \"?([\w:-]+)", "package.json has no script `{0}`"),
    (
        r"Your Ruby version is (\S+), but your Gemfile specified (\S+)",
        "this stack has Ruby {0}: ask for it in the Gemfile, or use a Dockerfile",
    ),
    (
        r"Could not (?:find gem|reach host)|Could not fetch specs",
        "no gem server answers: `bundle cache` keeps the gems in vendor/cache, where a build needs none",
    ),
    (
        r"Could not find '?bundler'? \(?=? ?([\d.]+)",
        "the lock file asks for bundler {0}: `bundle lock --update --bundler`",
    ),
    (r"missing go\.sum entry", "`go mod tidy`, then commit go.sum"),
    (
        r"SECRET_KEY|ImproperlyConfigured|collectstatic",
        "set the variables the settings need with `devenv config:set`, or `devenv config:set DISABLE_COLLECTSTATIC=1`",
    ),
    (
        r"(?:apk: not found|apk: command not found)",
        "this Dockerfile is made for Alpine, and the base that stands in here is Debian: use a Debian-based image",
    ),
    (r"externally-managed-environment", "this base keeps pip out of the system: use a virtualenv in the Dockerfile"),
)
MEND = "mend what the lines above name and run the same command again"


class Progress:
    """Takes BuildKit's plain lines; hands on what people want to read. `steps` also names each instruction."""

    def __init__(self, on_line: OnLine, *, steps: bool) -> None:
        self.on_line = on_line
        self.steps = steps
        self.names: dict[str, str] = {}
        self.numbered: set[str] = set()
        self.output: dict[str, list[str]] = {}
        self.failed: str | None = None
        self.reason = ""
        self.tail: list[str] = []

    def feed(self, raw: str) -> None:
        """One line as BuildKit prints it."""
        line = _ANSI.sub("", raw).rstrip()
        if found := _TEXT.match(line):
            self._text(found[1], found[2])
        elif found := _STEP.match(line):
            self._step(found[1], found[2], found[3])
        elif found := _CACHED.match(line):
            self._cached(found[1])
        elif found := _FAILED.match(line):
            self.failed, self.reason = found[1], found[2]
        elif line and not line.startswith("#"):
            self.tail = [*self.tail[-60:], line]

    def error(self, what: str) -> BuildError:
        """The error of a failed build: what failed, the last lines that matter, the next step."""
        lines = self.output.get(self.failed or "", [])
        said = "\n".join([*lines, self.reason, *self.tail])
        # without output of its own, a step's reason is in BuildKit's own words
        details = _telling(lines) or self._own_words()
        return BuildError(f"push rejected, failed to compile {what}", hint(said) or MEND, details)

    def _own_words(self) -> list[str]:
        errors = [line for line in self.tail if line.startswith("ERROR")]
        marked = [line for line in self.tail if ">>>" in line]
        return [
            *marked,
            *(re.sub(r"^ERROR: (failed to (build|solve): )*", "", line) for line in errors or [self.reason]),
        ][-SHOWN:]

    def _step(self, number: str, where: str, title: str) -> None:
        known = number in self.names
        self.names[number] = title
        place = _PLACE.fullmatch(where)
        if place:
            self.numbered.add(number)
        if self.steps and place and not known:
            self.on_line(f"Step {place[1]} : {_shorten(title)}")

    def _cached(self, number: str) -> None:
        title = self.names.get(number, "")
        if self.steps and number in self.numbered:
            self.on_line(" ---> Using cache")
        elif found := _MARK.search(title):
            self.on_line(f"{HEADING}{found[1]}")
            self.on_line(f"{DETAIL}Nothing changed: taken from the cache")

    def _text(self, number: str, text: str) -> None:
        kept = self.output.setdefault(number, [])
        kept.append(text)
        del kept[:-KEPT]
        if self.steps:
            self.on_line(text)
        else:
            self.on_line(text if text.startswith((HEADING, WARNING)) else detail(text))


def _telling(lines: Sequence[str]) -> list[str]:
    """The lines from the first that is an error on, else the last ones: npm tells its usage after the reason."""
    said = [line for line in lines if line.strip() and not line.startswith(HEADING)]
    first = next((number for number, line in enumerate(said) if _ERROR.match(line)), len(said) - SHOWN)
    return said[max(first, 0) :][:SHOWN]


def hint(said: str) -> str | None:
    """The next step for a build that said this; None when nothing better than its own words is known."""
    for pattern, text in HINTS:
        if found := re.search(pattern, said):
            return text.format(*found.groups())
    return None


def heading(text: str) -> str:
    """`-----> text`"""
    return HEADING + text


def detail(text: str) -> str:
    """`text` behind seven blanks."""
    return DETAIL + text if text.strip() else ""


def warning(text: str) -> str:
    """` !     text`"""
    return WARNING + text


def size(count: int) -> str:
    """Bytes as Heroku writes them: `36.3M`."""
    return f"{count / 1e6:.1f}M" if count >= 100_000 else f"{count / 1e3:.1f}K"


def process_types(declared: Sequence[str], defaults: Sequence[str]) -> list[str]:
    """The block `Discovering process types`: the Procfile's types, the buildpack's defaults."""
    lines = [heading("Discovering process types")]
    if declared:
        lines.append(detail(f"Procfile declares types     -> {', '.join(sorted(declared))}"))
    if defaults:
        lines.append(detail(f"Default types for buildpack -> {', '.join(sorted(defaults))}"))
    return lines if len(lines) > 1 else [*lines, detail("Procfile declares types     -> (none)")]


def _shorten(title: str) -> str:
    return title if len(title) <= 160 else title[:157] + "..."
