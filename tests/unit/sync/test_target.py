"""The stream to one container: what comes back on it, and what happens when it ends."""

import queue
from collections.abc import Callable, Iterator, Sequence

import pytest

from devenv.base.errors import ClusterError
from devenv.sync import perl
from devenv.sync import target as module
from devenv.sync.target import Answered, Joined, Left, Message, Said, Target


class Loop:
    """A stream whose other end is the test."""

    def __init__(self, *said: bytes, code: int | None = None, ends: bool = False) -> None:
        self.code = code
        self.said: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self.written: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        self.closed = False
        for each in said:
            self.said.put(each)
        if ends:
            self.said.put(None)

    def write(self, data: bytes) -> None:
        if self.closed:
            raise ClusterError("broke off", "")
        self.written.put(data)

    def read(self, timeout: float | None = None) -> tuple[int, bytes] | None:
        try:
            found = self.said.get(timeout=timeout)
        except queue.Empty:
            raise TimeoutError from None
        return None if found is None else (1, found)

    def close(self) -> None:
        self.closed = True
        self.said.put(None)


Start = Callable[..., tuple[Target, "queue.SimpleQueue[Message]"]]


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts a target on these streams, one after the other; then the cluster refuses."""
    made: list[Target] = []

    def begin(*streams: Loop) -> tuple[Target, "queue.SimpleQueue[Message]"]:
        left, messages = list(streams), queue.SimpleQueue[Message]()

        def connect(pod: str, container: str, argv: Sequence[str]) -> Loop:
            if not left:
                raise ClusterError("gone", "")
            return left.pop(0)

        made.append(Target("pod", "web", "process", "web", "one", connect, messages.put, "web.1"))
        made[-1].start()
        return made[-1], messages

    yield begin
    for each in made:
        each.stop()


def join(target: Target, messages: "queue.SimpleQueue[Message]") -> Message:
    """The next message, of a stream that is open: from now on it is served."""
    joined = messages.get(timeout=10)
    assert isinstance(joined, Joined)
    target.serve(joined)
    return joined


def test_what_the_loop_says(start: Start) -> None:
    stream = Loop(b"hello id:7 4", b"1\n", b"up 55\nbeat\nexit 3\n")
    target, messages = start(stream)
    assert join(target, messages) == Joined(target, "id:7", "41")
    said = [messages.get(timeout=10) for _ in range(2)]
    assert [(each.word, each.value) for each in said if isinstance(each, Said)] == [("up", 55), ("exit", 3)]
    target.send(b"line\n")
    assert stream.written.get(timeout=10) == b"line\n"
    stream.said.put(b"mv: no space\nok 1 1\nok 2 0\n")
    first, second = messages.get(timeout=10), messages.get(timeout=10)
    assert isinstance(first, Answered)
    assert isinstance(second, Answered)
    assert (first.number, first.status, first.complaint) == (1, 1, "mv: no space")
    assert (second.number, second.status, second.complaint) == (2, 0, "")


def test_perl_takes_over_where_there_is_some(start: Start) -> None:
    stream = Loop(b"hello id:7 41 perl\n")
    target, messages = start(stream)
    assert join(target, messages) == Joined(target, "id:7", "41", perl=True)
    target.send(b"after it\n")
    assert [stream.written.get(timeout=10) for _ in range(2)] == [perl.TAKE_OVER, b"after it\n"]


@pytest.mark.parametrize(("kind", "awaits"), [("process", "supervisor"), ("sync", "")])
def test_a_process_is_joined_once_it_is_supervised(kind: str, awaits: str) -> None:
    opened = queue.SimpleQueue[Sequence[str]]()

    def connect(pod: str, container: str, argv: Sequence[str]) -> Loop:
        opened.put(argv)
        return Loop(b"hello - -\n")

    target = Target("pod", "web", kind, "web", "one", connect, lambda message: None)
    target.start()
    assert opened.get(timeout=10)[-1] == awaits
    target.stop()


def test_a_stream_that_ends_is_opened_again(start: Start) -> None:
    target, messages = start(Loop(b"hello - -\n", ends=True), Loop(b"hello id:1 -\n"))
    found = [messages.get(timeout=10) for _ in range(3)]
    assert found == [Joined(target, "-", ""), Left(target), Joined(target, "id:1", "")]


def test_an_image_without_tar_is_told_of_and_left_alone(start: Start) -> None:
    target, messages = start(Loop(code=126, ends=True), Loop(b"hello - -\n"))
    assert messages.get(timeout=10) == Left(target, "the image of web has no tar")
    with pytest.raises(queue.Empty):
        messages.get(timeout=0.3)


def test_a_container_that_cannot_be_written_to_is_told_of_once(start: Start) -> None:
    complaint = b"mkdir: cannot create directory: Read-only file system\n"
    target, messages = start(*(Loop(complaint, code=1, ends=True) for _ in range(2)), Loop(b"hello - -\n"))
    found = [messages.get(timeout=10) for _ in range(3)]
    assert found == [Left(target, complaint.decode().strip()), Left(target), Joined(target, "-", "")]


def test_a_silent_stream_is_taken_for_dead(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BEAT", 0.05)
    monkeypatch.setattr(module, "SILENCE", 0.15)
    stream = Loop(b"hello - -\n")
    target, messages = start(stream, Loop(b"hello - 41\n"))
    found = [messages.get(timeout=10) for _ in range(3)]
    assert found[1:] == [Left(target), Joined(target, "-", "41")]
    assert stream.closed


def test_what_was_meant_for_the_stream_before_is_not_sent(start: Start) -> None:
    """The engine was busy when that broke off: its lines would be read as something else."""
    first, second = Loop(b"hello - - perl\n"), Loop(b"hello - -\n")
    target, messages = start(first, second)
    join(target, messages)
    first.close()
    assert isinstance(messages.get(timeout=10), Left)
    joined = messages.get(timeout=10)
    assert isinstance(joined, Joined)
    target.send(b"lost\n")
    target.serve(joined)
    target.send(b"new\n")
    assert second.written.get(timeout=10) == b"new\n"


def test_the_end_of_the_session_ends_the_stream(start: Start) -> None:
    stream = Loop(b"hello - -\n")
    target, messages = start(stream)
    messages.get(timeout=10)
    target.stop()
    assert stream.closed
    with pytest.raises(queue.Empty):
        messages.get(timeout=0.2)
