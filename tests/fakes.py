"""Stand-ins for what a unit test may not touch. Each is held to the real one's contract by tests/contract."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from devenv.base.errors import CommandFailed, ToolMissing
from devenv.base.proc import Completed


@dataclass
class Call:
    """One program run through a FakeRunner."""

    argv: tuple[str, ...]
    stdin: bytes | None = None
    env: Mapping[str, str] = field(default_factory=dict)
    cwd: Path | None = None


@dataclass
class Answer:
    """What a program is to say. `then` runs first: the program's effect."""

    stdout: str = ""
    stderr: str = ""
    code: int = 0
    then: Callable[[Call], object] | None = None


class FakeRunner:
    """A `Runner` that answers from a script: words an argv must hold -> answer, the first match counts.

    A program that no entry names is not installed.
    """

    def __init__(self, script: Mapping[tuple[str, ...], Answer] | None = None) -> None:
        self.script = dict(script or {})
        self.calls: list[Call] = []

    def _answer(self, call: Call) -> Answer:
        self.calls.append(call)
        for words, answer in self.script.items():
            if all(word in call.argv for word in words):
                if answer.then:
                    answer.then(call)
                return answer
        if any(words and words[0] == call.argv[0] for words in self.script):
            raise AssertionError(f"no answer in the script for {' '.join(call.argv)}")
        raise ToolMissing(f"`{call.argv[0]}` is not installed")

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
        """Answer from the script; raises as the real one does."""
        data = stdin.encode() if isinstance(stdin, str) else stdin
        answer = self._answer(Call(tuple(argv), data, env or {}, cwd))
        if check and answer.code:
            raise CommandFailed(argv, answer.code, answer.stderr or answer.stdout)
        return Completed(tuple(argv), answer.code, answer.stdout, answer.stderr)

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
        """Hand over the script's lines; raises as the real one does."""
        answer = self._answer(Call(tuple(argv), stdin, env or {}, cwd))
        for line in (answer.stdout + answer.stderr).splitlines():
            on_line(line)
        if check and answer.code:
            raise CommandFailed(argv, answer.code, answer.stdout + answer.stderr)
        return answer.code

    def interactive(self, argv: Sequence[str], *, env: Mapping[str, str] | None = None) -> int:
        """The script's exit status."""
        return self._answer(Call(tuple(argv), None, env or {})).code
