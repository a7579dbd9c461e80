"""A text in the user's editor."""

import os
import shlex
import sys
import tempfile
from pathlib import Path

from devenv.base.errors import InputError
from devenv.base.proc import SubprocessRunner


def edit(text: str) -> str | None:
    """The text as the user saved it; None when it was left as it was. Raises InputError when the editor fails."""
    chosen = os.environ.get("VISUAL") or os.environ.get("EDITOR")
    if not chosen and not sys.stdin.isatty():
        raise InputError(
            "there is no terminal to edit on", "set EDITOR to a program that needs none, or use `devenv config:set`"
        )
    editor = chosen or "vi"
    with tempfile.TemporaryDirectory(prefix="devenv-") as folder:  # readable by this user only
        file = Path(folder) / "config.env"
        file.touch(mode=0o600)
        file.write_text(text)
        if code := SubprocessRunner().interactive([*shlex.split(editor), str(file)]):
            raise InputError(
                f"the editor `{editor}` ended with status {code}", "nothing was changed; set EDITOR to another one"
            )
        edited = file.read_text()
    return None if edited == text else edited
