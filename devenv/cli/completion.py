"""`devenv completion`."""

import os
from pathlib import Path
from typing import Annotated

import typer

from devenv.base.errors import InputError
from devenv.cli.common import Shell, verb, verbs

app = verbs()
SHELLS = ("bash", "zsh", "fish")
# bash divides words at the colon of a verb, which Typer's own script does not know: here the line tells the words,
# and only what follows the last colon is handed back, as that is what bash replaces.
BASH = """\
_devenv_completion() {
    local line=${COMP_LINE:0:COMP_POINT} words IFS=$' \\t\\n'
    local word=${line##*[[:blank:]]}
    read -ra words <<< "$line."  # the dot: a last word that is empty counts as well
    IFS=$'\\n'
    COMPREPLY=($(env COMP_WORDS="$line" COMP_CWORD=$((${#words[@]} - 1)) %s=complete_bash "$1"))
    [[ $COMP_WORDBREAKS != *:* ]] || COMPREPLY=("${COMPREPLY[@]#"${word%%"${word##*:}"}"}")
}
complete -o default -F _devenv_completion devenv
"""


@verb(
    app,
    "completion",
    "devenv completion bash >> ~/.bashrc",
    "devenv completion zsh > ~/.zfunc/_devenv",
    "devenv completion fish > ~/.config/fish/completions/devenv.fish",
    json=False,
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
    if chosen == "bash":
        shell.console.out((BASH % COMPLETE).rstrip())
        return
    os.environ[COMPLETE] = f"source_{chosen}"
    main()
