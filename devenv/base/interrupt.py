"""The end of a run by Ctrl-C. Loads nothing: it is needed before anything else is."""

import sys

STATUS = 130


def tell(status: int = STATUS) -> int:
    """Say in one line that the run was interrupted; its exit status."""
    start = "\n" if sys.stderr.isatty() else ""  # after the terminal's own ^C
    sys.stderr.write(f"{start}Interrupted. The same command goes on where this one stopped.\n")
    sys.stderr.flush()
    return status
