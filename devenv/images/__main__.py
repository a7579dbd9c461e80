"""`python -m devenv.images build [KEY…] | ready | list | tools [NAME…]`: what the Makefile calls."""

import sys

from devenv.base.console import Console, table
from devenv.base.errors import DevenvError, InputError
from devenv.base.proc import SubprocessRunner
from devenv.images import build, reachable, tools


def main(argv: list[str]) -> int:
    """Do what `argv` asks; returns the exit status."""
    console = Console()
    try:
        _act(console, argv)
    except DevenvError as error:
        console.warn(error.message)
        for line in (*error.details, error.hint or ""):
            console.say(f"       {line}")
        return error.exit_code
    except KeyboardInterrupt:
        console.warn("stopped; the same command goes on where it was")
        return 130
    return 0


def _act(console: Console, argv: list[str]) -> None:
    runner = SubprocessRunner()
    match argv:
        case ["build", *keys]:
            done = build.build(runner, console, keys)
            console.say(f"{len(done.made)} made, {len(done.present)} present ({done.seconds:.0f} s)")
        case ["ready"] if reachable.source() == "official":
            console.say("image registries can be reached: images are pulled when they are needed")
        case ["ready"]:
            _act(console, ["build"])
        case ["list"]:
            rows = build.listing(runner, reachable.source())
            shown = [(row.key, row.source, row.reference, row.state, f"{row.size / 1e6:.0f} MB") for row in rows]
            console.out(table(shown, ("Image", "Source", "Reference", "State", "Size")))
        case ["tools", *names]:
            for name, path in tools.ensure(runner, console, names or ("kind", "kubectl", "helm")).items():
                console.out(f"{name} {path}")
        case _:
            raise InputError(
                "nothing to do", "usage: python -m devenv.images build [KEY…] | ready | list | tools [NAME…]"
            )


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
