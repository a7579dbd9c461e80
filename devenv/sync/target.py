"""One container that edits go to: a stream that stays open, and what comes back on it."""

import queue
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from devenv.base.errors import DevenvError
from devenv.sync import frame, perl

BEAT = 15.0  # seconds between heartbeats; the loop in the pod waits four times as long
SILENCE = 3 * BEAT  # without an answer for so long the stream is taken for dead: a laptop slept, a node was paused
FIRST_PAUSE, LONGEST_PAUSE = 0.05, 2.0  # seconds between two tries to connect
PIECE = 1 << 20
NO_TAR = 126
Lines = queue.SimpleQueue[tuple[bytes, ...] | None]  # what goes to a loop, in pieces; None ends it


class Stream(Protocol):
    """A program in a container with its stdin and output open."""

    code: int | None

    def write(self, data: bytes) -> None: ...

    def read(self, timeout: float | None = None) -> tuple[int, bytes] | None: ...

    def close(self) -> None: ...


class PodExec(Protocol):
    """Starts a program in a container of a pod."""

    def __call__(self, pod: str, container: str, argv: Sequence[str]) -> Stream: ...


@dataclass(frozen=True, slots=True)
class Joined:
    """The loop runs: `mark` is what its container had been given when it started, `-` for nothing."""

    target: "Target"
    mark: str
    supervisor: str  # its process id; empty without one
    perl: bool = False  # Perl applies what is sent
    lines: Lines = field(default_factory=queue.SimpleQueue, compare=False)  # its own


@dataclass(frozen=True, slots=True)
class Left:
    """The stream ended; it is opened again by itself. `why` is set when that is no use, or not yet: no tar, no place to write."""

    target: "Target"
    why: str = ""


@dataclass(frozen=True, slots=True)
class Answered:
    """A line was carried out, with the exit status of its steps and what they complained of."""

    target: "Target"
    number: int
    status: int
    complaint: str
    at: float


@dataclass(frozen=True, slots=True)
class Said:
    """The supervisor's word: `up 41` when the process started again, `exit 1` when it ended by itself."""

    target: "Target"
    word: str
    value: int
    at: float


Message = Joined | Left | Answered | Said


@dataclass(eq=False, slots=True)
class Target:
    """The stream to one container. Messages about it are put where the engine reads them."""

    pod: str
    container: str
    kind: str  # process, run or sync
    process: str  # type; "sync" for the keeper
    key: str  # tag of its image; empty for the keeper
    open: PodExec
    put: Callable[[Message], None]
    name: str = ""  # web.1, as `ps` shows it
    state: str = frame.STATE
    _lines: Lines = field(default_factory=queue.SimpleQueue)
    _stream: Stream | None = None
    _over: threading.Event = field(default_factory=threading.Event)
    _heard: float = 0.0

    def start(self) -> None:
        """Connect, and stay connected until `stop`."""
        threading.Thread(target=self._stay, name=f"sync {self.pod}", daemon=True).start()

    def stop(self) -> None:
        """End the stream; its loop ends with it."""
        self._over.set()
        if stream := self._stream:
            stream.close()

    def serve(self, joined: Joined) -> None:
        """From now on, lines go to the stream of `joined`: what was meant for the one before would be read as something else."""
        self._lines = joined.lines

    def send(self, line: bytes, archive: bytes = b"") -> None:
        """Hand over a line and what it reads; never blocks. They are lost when that stream is no more."""
        # small ones in one piece; a copy of a large archive for each container would add up
        self._lines.put((line + archive,) if len(archive) < PIECE else (line, archive))

    def _stay(self) -> None:
        pause, told = FIRST_PAUSE, ""
        while not self._over.is_set():
            # what a container that starts lays over its image must not come after what is sent to it
            argv = frame.loop_argv(self.state, "supervisor" if self.kind == "process" else "")
            try:
                self._stream = self.open(self.pod, self.container, argv)
            except DevenvError:
                self._over.wait(pause)  # it is starting, or the API server is; the pod watch tells when it is gone
                pause = min(LONGEST_PAUSE, pause * 2)
                continue
            why = self._serve(self._stream)
            pause = FIRST_PAUSE if why is None else min(LONGEST_PAUSE, pause * 2)
            if not self._over.is_set():
                self.put(Left(self, why if why and why != told else ""))
                told = why or ""
                if self._stream.code == NO_TAR:
                    return
                self._over.wait(pause)

    def _serve(self, stream: Stream) -> str | None:
        """Serve a stream to its end. When its program did not even start: what it said."""
        lines = Lines()
        self._heard = time.monotonic()
        writer = threading.Thread(target=self._write, args=(stream, lines), daemon=True)
        writer.start()
        if self._over.is_set():  # while it was opened
            stream.close()
        why = self._read(stream, lines)
        stream.close()
        lines.put(None)
        writer.join()
        return f"the image of {self.process} has no tar" if stream.code == NO_TAR else why

    def _write(self, stream: Stream, lines: Lines) -> None:
        try:
            while True:
                try:
                    data = lines.get(timeout=BEAT)
                except queue.Empty:
                    # that it can be sent tells nothing: the loop may be gone without the stream's end
                    stream.write(b"echo beat\n")
                    continue
                if data is None:
                    return
                for part in data:
                    for start in range(0, len(part), PIECE):
                        stream.write(part[start : start + PIECE])
                        self._heard = time.monotonic()
        except DevenvError:
            stream.close()  # the reader notices and connects anew

    def _read(self, stream: Stream, lines: Lines) -> str | None:
        """Put what comes until the end, or until nothing has come for too long. What it said, unless it said hello."""
        text, complaint, joined = b"", "", False
        while True:
            try:
                piece = stream.read(BEAT)
            except TimeoutError:
                if time.monotonic() - self._heard > SILENCE:
                    break
                continue
            if piece is None:
                break
            self._heard = at = time.monotonic()
            *whole, text = (text + piece[1]).split(b"\n")
            for raw in whole:
                said = raw.decode(errors="replace")
                if message := self._message(said, complaint, at, lines):
                    joined = joined or isinstance(message, Joined)
                    if isinstance(message, Answered):
                        complaint = ""
                    self.put(message)
                elif said != "beat":
                    complaint = f"{complaint}\n{said}"[-2000:]
        return None if joined else complaint.strip()

    def _message(self, said: str, complaint: str, at: float, lines: Lines) -> Message | None:
        match said.split():
            case ["hello", mark, supervisor, *able]:
                # the keeper's files are swapped by steps of shell
                if takes := able == ["perl"] and self.kind != "sync":
                    lines.put((perl.TAKE_OVER,))
                return Joined(self, mark, supervisor.replace("-", ""), takes, lines)
            case ["ok", number, status]:
                return Answered(self, int(number), int(status), complaint.strip(), at)
            case ["up" | "exit" as word, value]:
                return Said(self, word, int(value), at)
        return None
