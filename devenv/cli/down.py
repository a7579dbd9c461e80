"""`devenv down`, `devenv destroy`."""

from typing import Annotated

import typer

from devenv.cli.common import Shell, verb, verbs

app = verbs()


@verb(app, "down", "devenv down", "devenv down --env lamp-pr-7")
def down(shell: Shell) -> None:
    """Stop the processes and the add-ons; config, releases and all data stay."""
    from devenv.ops.down import down as stop

    stop(shell.env)
    shell.console.say(f"{shell.env.name} is down; its data is kept. `devenv up` starts it again.")


@verb(app, "destroy", "devenv destroy", "devenv destroy --env lamp-pr-7 --yes")
def destroy(shell: Shell, yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False) -> None:
    """Remove the env with its add-ons, config and all data. Asks for the env's name first."""
    from devenv.ops.down import destroy as remove

    shell.env.require()
    name = shell.env.name
    if not yes:
        shell.console.warn(f"this destroys {name} with all data of its add-ons")
        shell.confirm("destroyed", name, "--yes")
    remove(shell.env)
    shell.console.say(f"{name} is destroyed.")
