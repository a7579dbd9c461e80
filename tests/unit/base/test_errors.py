import pytest

from devenv.base import errors
from devenv.base.errors import CommandFailed, InputError, Problems

EXITS = {
    errors.DevenvError: 1,
    errors.InputError: 2,
    errors.ToolMissing: 3,
    errors.CommandFailed: 4,
    errors.ClusterError: 5,
    errors.BuildError: 6,
    errors.ReleaseError: 7,
    errors.SyncError: 8,
    errors.Interrupted: 130,
}


def test_exit_statuses() -> None:
    assert {kind: kind.exit_code for kind in EXITS} == EXITS


def test_a_failed_command_names_itself_and_its_last_lines() -> None:
    lines = "\n".join(f"line {number}" for number in range(20))
    error = CommandFailed(["helm", "upgrade", "--install", "app", "chart", "x"], 1, f"\n\n{lines}\n\n")
    assert error.message == "`helm upgrade --install app …` failed with status 1"
    assert error.details == tuple(f"line {number}" for number in range(8, 20))
    assert (error.code, error.argv[0]) == (1, "helm")


def test_no_problem_no_error() -> None:
    Problems().raise_if_any("the Procfile")


@pytest.mark.parametrize(("count", "message"), [(1, "a problem in the Procfile"), (3, "3 problems in the Procfile")])
def test_problems_are_told_together(count: int, message: str) -> None:
    problems = Problems()
    for number in range(count):
        problems.add(f"Procfile:{number}", "no colon", "write `type: command`" if number else None)
    with pytest.raises(InputError) as caught:
        problems.raise_if_any("the Procfile", "see the manual")
    assert caught.value.message == message
    assert caught.value.hint == "see the manual"
    assert len(caught.value.details) == count
    assert caught.value.details[0] == "Procfile:0: no colon"
    if count > 1:
        assert caught.value.details[1] == "Procfile:1: no colon; write `type: command`"
