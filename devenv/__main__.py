"""The entry. A Ctrl-C in the first tenth of a second, while modules are loaded, ends as quietly as a later one."""

import os

from devenv.base import interrupt


def run() -> None:
    """The console script."""
    try:
        from devenv.cli import main

        main.run()
    except KeyboardInterrupt:
        os._exit(interrupt.tell())


if __name__ == "__main__":
    run()
