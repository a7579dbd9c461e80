"""`devenv down`, `devenv destroy`."""

from devenv.cli.common import Confirm, Shell, Yes, verb, verbs
from devenv.cli.render import emit

app = verbs()


@verb(app, "down", "devenv down", "devenv down --env lamp-pr-7")
def down(shell: Shell) -> None:
    """Stop the processes and the add-ons; config, releases and all data stay."""
    from devenv.ops.down import down as stop

    stop(shell.env)
    shell.console.say(f"{shell.env.name} is down; its data is kept. `devenv up` starts it again.")
    if shell.json:
        emit(shell, {"env": shell.env.name})


@verb(app, "destroy", "devenv destroy", "devenv destroy --env lamp-pr-7 --confirm lamp-pr-7")
def destroy(shell: Shell, confirm: Confirm = None, yes: Yes = False) -> None:
    """Remove the env with its add-ons, config and all data. Asks for the env's name first."""
    from devenv.ops.down import destroy as remove

    shell.env.require()
    name = shell.env.name
    if confirm is not None or not yes:
        shell.confirm(f"this destroys {name} with all data of its add-ons", "destroyed", name, confirm)
    remove(shell.env)
    shell.console.say(f"{name} is destroyed.")
    if shell.json:
        emit(shell, {"env": name})
