"""The errors a user can meet: a message, a hint with the next step, an exit status."""

from collections.abc import Sequence


class DevenvError(Exception):
    """Something the user can act on. `message` is a lower-case clause, `hint` the next step."""

    exit_code = 1

    def __init__(self, message: str, hint: str | None = None, details: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.details = tuple(details)  # shown between message and hint, one per line


class InputError(DevenvError):
    """A file, flag or profile is wrong."""

    exit_code = 2


class ToolMissing(DevenvError):
    """A program devenv drives is not there or cannot be used."""

    exit_code = 3


class CommandFailed(DevenvError):
    """A program ended with a non-zero status. `output` holds its last lines, secrets masked."""

    exit_code = 4

    def __init__(self, argv: Sequence[str], code: int, output: str, hint: str | None = None) -> None:
        lines = [line for line in output.strip().splitlines() if line.strip()]
        super().__init__(
            f"`{' '.join(argv[:4])}{' …' if len(argv) > 4 else ''}` failed with status {code}", hint, lines[-12:]
        )
        self.argv = tuple(argv)
        self.code = code
        self.output = output


class ClusterError(DevenvError):
    """The cluster does not do what was asked of it."""

    exit_code = 5


class BuildError(DevenvError):
    """An image could not be built."""

    exit_code = 6


class ReleaseError(DevenvError):
    """A release did not come up; the one before it still serves."""

    exit_code = 7


class SyncError(DevenvError):
    """A change could not be brought into the pods."""

    exit_code = 8


class MachineError(DevenvError):
    """This machine refuses: its disk is full, a folder may not be written."""

    exit_code = 9


class Interrupted(DevenvError):
    """Ctrl-C."""

    exit_code = 130


class Problems:
    """Collects every problem of a file before raising one `InputError` that lists them all."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def add(self, where: str, what: str, instead: str | None = None) -> None:
        """Note a problem: `where` is `file:line`, `instead` what to write."""
        self.lines.append(f"{where}: {what}" + (f"; {instead}" if instead else ""))

    def raise_if_any(self, subject: str, hint: str | None = None) -> None:
        """Raise when there is a problem; the message names the subject and the count."""
        if self.lines:
            count = "a problem" if len(self.lines) == 1 else f"{len(self.lines)} problems"
            raise InputError(f"{count} in {subject}", hint, self.lines)
