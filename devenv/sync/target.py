"""One container that edits go to: a stream that stays open, and what comes back on it."""

import queue
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from devenv.base.errors import DevenvError
from devenv.sync import frame

BEAT = 15.0  # seconds between heartbeats; the loop in the pod waits four times as long
SILENCE = 3 * BEAT  # without an answer for so long the stream is taken for dead: a laptop slept, a node was paused
LONGEST_PAUSE = 2.0  # seconds between two tries to connect
NO_TAR = 126


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
    supervised: bool


@dataclass(frozen=True, slots=True)
class Left:
    """The stream ended; it is opened again by itself. `why` is set when that is no use: the image has no tar."""

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
    _lines: "queue.SimpleQueue[bytes | None]" = field(default_factory=queue.SimpleQueue)
    _stream: Stream | None = None
    _over: threading.Event = field(default_factory=threading.Event)
    _heard: float = 0.0

    def start(self) -> None:
        """Connect, and stay connected until `stop`."""
        threading.Thread(target=self._stay, name=f"sync {self.pod}", daemon=True).start()

    def stop(self) -> None:
        """End the stream; its loop ends with it."""
        self._over.set()
        self._lines.put(None)
        if stream := self._stream:
            stream.close()

    def send(self, data: bytes) -> None:
        """Hand over lines and what they read; never blocks."""
        self._lines.put(data)

    def _stay(self) -> None:
        pause = 0.1
        while not self._over.is_set():
            try:
                self._stream = self.open(self.pod, self.container, frame.loop_argv(self.state))
            except DevenvError:
                self._over.wait(pause)  # it is starting, or the API server is; the pod watch tells when it is gone
                pause = min(LONGEST_PAUSE, pause * 2)
                continue
            pause = 0.1
            while not self._lines.empty():  # meant for the stream before
                self._lines.get()
            self._heard = time.monotonic()
            writer = threading.Thread(target=self._write, args=(self._stream,), daemon=True)
            writer.start()
            self._read(self._stream)
            code = self._stream.code
            self._stream.close()
            self._lines.put(None)
            writer.join()
            self._stream = None
            if not self._over.is_set():
                useless = f"the image of {self.process} has no tar" if code == NO_TAR else ""
                self.put(Left(self, useless))
                if useless:
                    return
                self._over.wait(0.05)

    def _write(self, stream: Stream) -> None:
        try:
            while True:
                try:
                    data = self._lines.get(timeout=BEAT)
                except queue.Empty:
                    if time.monotonic() - self._heard > SILENCE:
                        stream.close()
                        return
                    data = b"echo beat\n"
                if data is None:
                    return
                stream.write(data)
        except DevenvError:
            stream.close()  # the reader notices and connects anew

    def _read(self, stream: Stream) -> None:
        text, complaint = b"", ""
        while piece := stream.read():
            self._heard = at = time.monotonic()
            *lines, text = (text + piece[1]).split(b"\n")
            for raw in lines:
                said = raw.decode(errors="replace")
                if message := self._message(said, complaint, at):
                    if isinstance(message, Answered):
                        complaint = ""
                    self.put(message)
                elif said != "beat":
                    complaint = f"{complaint}\n{said}"[-2000:]

    def _message(self, said: str, complaint: str, at: float) -> Message | None:
        match said.split():
            case ["hello", mark, supervisor]:
                return Joined(self, mark, supervisor != "-")
            case ["ok", number, status]:
                return Answered(self, int(number), int(status), complaint.strip(), at)
            case ["up" | "exit" as word, value]:
                return Said(self, word, int(value), at)
        return None
