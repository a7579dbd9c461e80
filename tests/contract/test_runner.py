"""What every Runner does: the real one, and the fake that unit tests trust."""

from collections.abc import Callable

import pytest

from devenv.base.errors import CommandFailed, ToolMissing
from devenv.base.proc import Runner, SubprocessRunner
from tests.fakes import Answer, FakeRunner

pytestmark = pytest.mark.contract

GOOD = ("sh", "-c", "printf 'one\\ntwo\\n'")
BAD = ("sh", "-c", "echo out; echo why >&2; exit 3")


def fake() -> Runner:
    return FakeRunner({GOOD: Answer("one\ntwo\n"), BAD: Answer("out\n", "why\n", 3)})


@pytest.fixture(params=[SubprocessRunner, fake], ids=["real", "fake"])
def runner(request: pytest.FixtureRequest) -> Runner:
    make: Callable[[], Runner] = request.param
    return make()


def test_output_and_status(runner: Runner) -> None:
    done = runner.run(GOOD)
    assert (done.argv, done.code, done.stdout, done.stderr) == (GOOD, 0, "one\ntwo\n", "")


def test_a_failure_is_raised_with_what_was_said(runner: Runner) -> None:
    with pytest.raises(CommandFailed) as caught:
        runner.run(BAD)
    assert (caught.value.code, caught.value.details) == (3, ("why",))


def test_a_failure_can_be_looked_at(runner: Runner) -> None:
    done = runner.run(BAD, check=False)
    assert (done.code, done.stdout, done.stderr) == (3, "out\n", "why\n")


def test_a_missing_program(runner: Runner) -> None:
    with pytest.raises(ToolMissing, match="no-such-program"):
        runner.run(["no-such-program", "--version"])
    with pytest.raises(ToolMissing, match="no-such-program"):
        runner.stream(["no-such-program"], print)
    with pytest.raises(ToolMissing, match="no-such-program"):
        runner.interactive(["no-such-program"])


def test_stream_hands_over_lines(runner: Runner) -> None:
    lines: list[str] = []
    assert runner.stream(GOOD, lines.append) == 0
    assert lines == ["one", "two"]


def test_stream_raises_after_the_last_line(runner: Runner) -> None:
    lines: list[str] = []
    with pytest.raises(CommandFailed) as caught:
        runner.stream(BAD, lines.append)
    assert sorted(lines) == ["out", "why"]
    assert caught.value.code == 3
    assert runner.stream(BAD, lines.append, check=False) == 3


def test_interactive_returns_the_status(runner: Runner) -> None:
    assert runner.interactive(BAD) == 3


def test_stdin_and_environment_reach_the_program() -> None:
    done = SubprocessRunner().run(["sh", "-c", 'cat; printf %s "$EXTRA"'], stdin="in ", env={"EXTRA": "env"})
    assert done.stdout == "in env"
    stand_in = FakeRunner({("sh",): Answer()})
    stand_in.run(["sh"], stdin="in ", env={"EXTRA": "env"})
    assert (stand_in.calls[0].stdin, stand_in.calls[0].env) == (b"in ", {"EXTRA": "env"})
