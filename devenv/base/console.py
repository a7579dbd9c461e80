"""What people see: stdout is data, stderr is the story."""

import os
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TextIO

Mask = Callable[[str], str]
STYLES = {
    "bold": "1",
    "dim": "2",
    "red": "31",
    "green": "32",
    "yellow": "33",
    "cyan": "36",
    "magenta": "35",
    "blue": "34",
}
FRAMES = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"


class Console:
    """Prints for one run of devenv. Every text passes `mask`, which hides the values of config vars."""

    def __init__(
        self,
        out: TextIO | None = None,
        err: TextIO | None = None,
        *,
        quiet: bool = False,
        verbose: bool = False,
        color: bool | None = None,
    ) -> None:
        self.stdout = out or sys.stdout
        self.stderr = err or sys.stderr
        self.quiet = quiet
        self.verbose = verbose
        self.terminal = self.stderr.isatty() and os.environ.get("TERM") != "dumb"
        allowed = color if color is not None else not os.environ.get("NO_COLOR")
        self.color_err = allowed and self.terminal
        self.color_out = allowed and self.stdout.isatty()
        self.mask: Mask = lambda text: text
        self._lock = threading.RLock()
        self._step: Step | None = None

    def style(self, text: str, *names: str, out: bool = False) -> str:
        """`text` in the named styles (a key of STYLES) when the stream shows colour."""
        if not (self.color_out if out else self.color_err):
            return text
        return f"\x1b[{';'.join(STYLES[name] for name in names)}m{text}\x1b[0m"

    def out(self, text: str = "") -> None:
        """A line of data. Not masked: `config` shows values because it was asked to."""
        with self._lock:
            self._clear()
            self.stdout.write(f"{text}\n")
            self.stdout.flush()

    def say(self, text: str = "") -> None:
        """A line of the story; silent with --quiet."""
        if not self.quiet:
            self._line(text)

    def detail(self, text: str) -> None:
        """A line only --verbose shows; during a step on a terminal it is the step's small print."""
        if self.verbose:
            self._line(self.style(f"       {text}", "dim"))
        elif self._step:
            self._step.note = self.mask(text).strip()

    def warn(self, text: str) -> None:
        """A warning in Heroku's shape (heroku.md section 6)."""
        self._line(f"{self.style(' ›', 'yellow')}   {self.style('Warning:', 'yellow')} {text}")

    def _line(self, text: str) -> None:
        with self._lock:
            self._clear()
            self.stderr.write(self.mask(text) + "\n")
            self.stderr.flush()

    def _clear(self) -> None:
        if self._step and self.terminal and not self.quiet:
            self.stderr.write("\r\x1b[2K")

    @contextmanager
    def step(self, title: str, *, lines: bool = True) -> "Iterator[Step]":
        """Shows that something takes time: a spinner on a terminal, a line at its end elsewhere; seconds either way.

        Without `lines` there is nothing but the spinner: the caller tells how it went.
        """
        if self._step:  # a step within a step is its small print
            self._step.note = title
            yield self._step
            return
        step = self._step = Step(self, title, lines)
        step.start()
        done = False
        try:
            yield step
            done = True
        finally:
            self._step = None
            step.finish(done)


class Step:
    """One running step; `note` is the small print beside the spinner."""

    def __init__(self, console: Console, title: str, lines: bool = True) -> None:
        self.console = console
        self.title = title
        self.lines = lines
        self.note = ""
        self.result = ""
        self.silent = False
        self._announced = False
        self._began = time.monotonic()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin to spin, on a terminal."""
        if self.console.terminal and not self.console.quiet:
            self._thread = threading.Thread(target=self._spin, daemon=True)
            self._thread.start()
        elif not self.console.quiet and self.lines:
            threading.Thread(target=self._announce, daemon=True).start()

    def finish(self, done: bool) -> None:
        """Stop and leave one line that says how it went."""
        self._stop.set()
        if self._thread:
            self._thread.join()
        seconds = time.monotonic() - self._began
        if (self.silent and done and not self._announced) or not self.lines:
            with self.console._lock:
                if self._thread:
                    self.console.stderr.write("\r\x1b[2K")
            return
        mark = self.console.style("✓", "green") if done else self.console.style("✗", "red")
        took = self.console.style(f"({seconds:.1f} s)", "dim")
        result = f" {self.result}" if self.result else ""
        with self.console._lock:
            if self._thread:
                self.console.stderr.write("\r\x1b[2K")
            self.console.say(f"{mark} {self.title}{result} {took}")

    def _announce(self) -> None:
        # where nothing can spin (CI logs), say after two seconds what is being waited for
        if not self._stop.wait(2.0):
            self._announced = True
            self.console.say(f"  {self.title} …")

    def _spin(self) -> None:
        tick = 0
        while not self._stop.wait(0.1):
            seconds = int(time.monotonic() - self._began)
            width = _width()
            title = self.console.mask(self.title)
            text = f"{title} {seconds}s" if seconds > 1 else title
            room = max(0, width - len(text) - 6)
            note = f"  {self.note[:room]}" if self.note and room > 8 else ""
            with self.console._lock:
                self.console.stderr.write(
                    f"\r\x1b[2K{self.console.style(FRAMES[tick % len(FRAMES)], 'cyan')} {text}{self.console.style(note, 'dim')}"
                )
                self.console.stderr.flush()
            tick += 1


def _width() -> int:
    try:
        return os.get_terminal_size(sys.stderr.fileno()).columns
    except (OSError, ValueError):
        return 80


def table(rows: Iterable[tuple[str, ...]], header: tuple[str, ...]) -> str:
    """Rows in columns under an underlined header (heroku.md section 6)."""
    lines = [tuple(cell.splitlines() or [""] for cell in row) for row in rows]
    widths = [max([len(name), *(len(part) for row in lines for part in row[i])]) for i, name in enumerate(header)]
    shown = [_row(header, widths), _row(tuple("─" * width for width in widths), widths)]
    for row in lines:
        for level in range(max(len(cell) for cell in row)):
            shown.append(_row(tuple(cell[level] if level < len(cell) else "" for cell in row), widths))
    return "\n".join(shown)


def _row(cells: tuple[str, ...], widths: list[int]) -> str:
    return "  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)).rstrip()
