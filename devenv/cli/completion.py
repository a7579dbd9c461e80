"""`devenv completion`."""

import os
from pathlib import Path
from typing import Annotated

import typer

from devenv.base.errors import InputError
from devenv.cli.common import Shell, verb, verbs

app = verbs()
SHELLS = ("bash", "zsh", "fish")


@verb(
    app,
    "completion",
    "devenv completion bash >> ~/.bashrc",
    "devenv completion zsh > ~/.zfunc/_devenv",
    "devenv completion fish > ~/.config/fish/completions/devenv.fish",
)
def completion(
    shell: Shell,
    name: Annotated[str | None, typer.Argument(help="bash, zsh or fish; default: yours.", metavar="[SHELL]")] = None,
) -> None:
    """Print the completion script of a shell."""
    from devenv.cli.main import COMPLETE, main

    chosen = name or Path(os.environ.get("SHELL", "bash")).name
    if chosen not in SHELLS:
        raise InputError(f"there is no completion for `{chosen}`", f"shells: {', '.join(SHELLS)}")
    os.environ[COMPLETE] = f"source_{chosen}"
    main()
