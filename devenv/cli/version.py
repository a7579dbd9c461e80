"""`devenv version`."""

import platform

from devenv import __version__
from devenv.cli.common import Shell, verb, verbs
from devenv.cli.render import emit

app = verbs()


@verb(app, "version", "devenv version", "devenv version --json")
def version(shell: Shell) -> None:
    """Print devenv's version."""
    facts = {
        "devenv": __version__,
        "python": platform.python_version(),
        "system": f"{platform.system().lower()}-{platform.machine()}",
    }
    if shell.json:
        emit(shell, facts)
    else:
        shell.console.out(f"devenv/{__version__} {facts['system']} python-{facts['python']}")
