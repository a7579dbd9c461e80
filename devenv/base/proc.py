"""The one door to other programs."""

import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from devenv.base.errors import CommandFailed, Interrupted, ToolMissing

PATIENCE = 5.0  # seconds for a program to end after each signal


@dataclass(frozen=True, slots=True)
class Completed:
    """What a program left behind: exit status and its output as text."""

    argv: tuple[str, ...]
    code: int
    stdout: str
    stderr: str


class Runner(Protocol):
    """Runs programs. `env` is added to the caller's environment; an `argv` never holds a secret."""

    def run(
        self,
        argv: Sequence[str],
        *,
        stdin: str | bytes | None = None,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        timeout: float | None = None,
        check: bool = True,
    ) -> Completed: ...

    def stream(
        self,
        argv: Sequence[str],
        on_line: Callable[[str], None],
        *,
        stdin: bytes | None = None,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        check: bool = True,
    ) -> int: ...

    def interactive(self, argv: Sequence[str], *, env: Mapping[str, str] | None = None) -> int: ...


class SubprocessRunner:
    """The real `Runner`."""

    def run(
        self,
        argv: Sequence[str],
        *,
        stdin: str | bytes | None = None,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        timeout: float | None = None,
        check: bool = True,
    ) -> Completed:
        """Run to the end. Raises ToolMissing, or CommandFailed on a non-zero status (when `check`) or a time-out (seconds)."""
        data = stdin.encode() if isinstance(stdin, str) else stdin
        pipes = {"stdin": _source(data), "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        with _started(argv, env, cwd, pipes) as process:
            try:
                raw_out, raw_err = process.communicate(data, timeout)
            except subprocess.TimeoutExpired as error:
                raise CommandFailed(argv, 124, f"no answer within {timeout:.0f} s") from error
        out, err = raw_out.decode(errors="replace"), raw_err.decode(errors="replace")
        if check and process.returncode:
            raise CommandFailed(argv, process.returncode, err or out)
        return Completed(tuple(argv), process.returncode, out, err)

    def stream(
        self,
        argv: Sequence[str],
        on_line: Callable[[str], None],
        *,
        stdin: bytes | None = None,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        check: bool = True,
    ) -> int:
        """Run and hand over each line of stdout and stderr as it comes; ends the program when interrupted."""
        tail: list[str] = []
        pipes = {"stdin": _source(stdin), "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
        with _started(argv, env, cwd, pipes) as process:
            assert process.stdout is not None
            if stdin is not None:
                threading.Thread(target=_feed, args=(process, stdin), daemon=True).start()
            for raw in process.stdout:
                line = raw.decode(errors="replace").rstrip("\r\n")
                tail = [*tail[-40:], line]
                on_line(line)
            code = process.wait()
        if check and code:
            raise CommandFailed(argv, code, "\n".join(tail))
        return code

    def interactive(self, argv: Sequence[str], *, env: Mapping[str, str] | None = None) -> int:
        """Hand over the terminal (or the pipe); Ctrl-C belongs to the program. Returns its exit status."""
        previous = signal.getsignal(signal.SIGINT)
        try:
            if threading.current_thread() is threading.main_thread():
                signal.signal(signal.SIGINT, signal.SIG_IGN)
            # SIG_IGN would be inherited: give the child the default back
            process = subprocess.Popen(
                list(argv), env=_environment(env), preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL)
            )
            try:
                return process.wait()
            except BaseException:
                process.terminate()
                raise
        except FileNotFoundError as error:
            raise ToolMissing(f"`{argv[0]}` is not installed") from error
        finally:
            if threading.current_thread() is threading.main_thread():
                signal.signal(signal.SIGINT, previous)


@dataclass(slots=True)
class _Children:
    """The programs that run now, in sessions of their own: a Ctrl-C reaches them through `stop`, in good order."""

    running: "set[subprocess.Popen[bytes]]" = field(default_factory=set)
    signal: int = 0  # the one that ends this run
    kept: set[int] = field(default_factory=set)


_children = _Children()


def stop(number: int) -> None:
    """End every program that runs, because of signal `number`, and start none any more; does not wait. Fit for a signal handler."""
    if not _children.signal:
        _children.signal = number
        threading.Thread(target=_end_all, daemon=True).start()


def stopped() -> int:
    """The signal that `stop` was called for; 0 when it was not."""
    return _children.signal


@contextmanager
def afterwards() -> Iterator[None]:
    """Let programs run although this run is being ended: they put back what it began. A further Ctrl-C waits for them."""
    number, _children.signal = _children.signal, 0
    main = threading.current_thread() is threading.main_thread()
    ends = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP) if main else ()
    before = {each: signal.signal(each, signal.SIG_IGN) for each in ends}
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)
        _children.signal = _children.signal or number


@contextmanager
def inherited(descriptor: int) -> Iterator[None]:
    """Hand an open file on to every program started meanwhile: what locks it stays locked while one of them lives."""
    _children.kept.add(descriptor)
    try:
        yield
    finally:
        _children.kept.discard(descriptor)


@contextmanager
def _started(
    argv: Sequence[str], env: Mapping[str, str] | None, cwd: Path | None, pipes: Mapping[str, int]
) -> "Iterator[subprocess.Popen[bytes]]":
    if _children.signal:
        raise Interrupted("interrupted")
    process = _popen(argv, env=_environment(env), cwd=cwd, pass_fds=tuple(_children.kept), **pipes)
    _children.running.add(process)
    try:
        yield process
    except BaseException:
        _end(process)
        raise
    finally:
        _children.running.discard(process)
        for stream in (process.stdin, process.stdout, process.stderr):
            if stream:
                with suppress(OSError):
                    stream.close()
    if _children.signal:
        raise Interrupted("interrupted")


def _popen(argv: Sequence[str], **options: Any) -> "subprocess.Popen[bytes]":
    try:
        return subprocess.Popen(list(argv), start_new_session=True, **options)
    except FileNotFoundError as error:
        raise ToolMissing(f"`{argv[0]}` is not installed") from error
    except PermissionError as error:
        raise ToolMissing(f"`{argv[0]}` may not be run by this user", f"look at it: `ls -l {argv[0]}`") from error


def _source(data: bytes | None) -> int:
    return subprocess.DEVNULL if data is None else subprocess.PIPE


def _environment(extra: Mapping[str, str] | None) -> dict[str, str] | None:
    return None if extra is None else {**os.environ, **extra}


def _feed(process: "subprocess.Popen[bytes]", data: bytes) -> None:
    assert process.stdin is not None
    try:
        process.stdin.write(data)
        process.stdin.close()
    except BrokenPipeError:
        pass  # the program ended before it read everything; its exit status tells why


def _end(process: "subprocess.Popen[bytes]") -> None:
    for sig in (signal.SIGINT, signal.SIGTERM, signal.SIGKILL):
        _signal(process, sig)
        try:
            process.wait(timeout=PATIENCE)
            return
        except subprocess.TimeoutExpired:
            continue


def _end_all() -> None:
    # nobody else may wait for a program that a thread waits for already: here they are only told
    left = set(_children.running)  # none of those that start `afterwards`
    for sig in (signal.SIGINT, signal.SIGTERM, signal.SIGKILL):
        for process in left & _children.running:
            _signal(process, sig)
        deadline = time.monotonic() + PATIENCE
        while left & _children.running and time.monotonic() < deadline:
            time.sleep(0.05)


def _signal(process: "subprocess.Popen[bytes]", sig: signal.Signals) -> None:
    with suppress(ProcessLookupError, PermissionError):  # it has ended; macOS refuses to signal a zombie
        os.killpg(process.pid, sig)
