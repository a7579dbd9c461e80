"""The one door to other programs."""

import os
import signal
import subprocess
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from devenv.base.errors import CommandFailed, ToolMissing


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
        try:
            done = subprocess.run(
                list(argv),
                input=data,
                stdin=subprocess.DEVNULL if data is None else None,
                capture_output=True,
                env=_environment(env),
                cwd=cwd,
                timeout=timeout,
                check=False,
            )
        except FileNotFoundError as error:
            raise ToolMissing(f"`{argv[0]}` is not installed") from error
        except subprocess.TimeoutExpired as error:
            raise CommandFailed(argv, 124, f"no answer within {timeout:.0f} s") from error
        out, err = done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace")
        if check and done.returncode:
            raise CommandFailed(argv, done.returncode, err or out)
        return Completed(tuple(argv), done.returncode, out, err)

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
        try:
            process = subprocess.Popen(
                list(argv),
                stdin=subprocess.DEVNULL if stdin is None else subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                env=_environment(env),
                cwd=cwd,
                start_new_session=True,
            )
        except FileNotFoundError as error:
            raise ToolMissing(f"`{argv[0]}` is not installed") from error
        assert process.stdout is not None
        if stdin is not None:
            threading.Thread(target=_feed, args=(process, stdin), daemon=True).start()
        tail: list[str] = []
        try:
            for raw in process.stdout:
                line = raw.decode(errors="replace").rstrip("\r\n")
                tail = [*tail[-40:], line]
                on_line(line)
            code = process.wait()
        except BaseException:
            _end(process)
            raise
        finally:
            process.stdout.close()
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
        try:
            os.killpg(process.pid, sig)
            process.wait(timeout=5)
            return
        except ProcessLookupError:
            return
        except subprocess.TimeoutExpired:
            continue
