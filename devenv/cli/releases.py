"""`devenv releases` and its kin, `devenv rollback`."""

from typing import Annotated

import typer

from devenv.base.console import table
from devenv.base.errors import InputError
from devenv.cli.common import Shell, verb, verbs
from devenv.cli.render import columns, compact, emit

app = verbs()
Release = Annotated[str | None, typer.Argument(help="The release, `v7` or `7`.", metavar="[RELEASE]")]


def number(text: str | None) -> int | None:
    """`v7` and `7` are release 7. Raises InputError."""
    digits = (text or "").removeprefix("v")
    if text is None:
        return None
    if not digits.isdigit() or not int(digits):
        raise InputError(f"`{text}` is no release", "write v7; `devenv releases` lists them")
    return int(digits)


@verb(app, "releases", "devenv releases", "devenv releases -n 50 --json")
def releases(shell: Shell, num: Annotated[int, typer.Option("--num", "-n", help="How many.", min=1)] = 15) -> None:
    """List the env's releases, newest first."""
    from devenv.ops.releases import current
    from devenv.ops.releases import releases as read
    from devenv.ops.status import ago

    rows = read(shell.env, num)
    if shell.json:
        emit(shell, rows)
        return
    if not rows:
        shell.console.out(f"{shell.env.name} has no releases.")
        return
    shell.console.out(f"=== {shell.env.name} Releases - Current: v{current(shell.env)}\n")
    cells = [
        (
            f"v{row.version}",
            row.description + (f" {row.status}" if row.status != "succeeded" else ""),
            row.mode.replace("-", " "),
            ago(row.created),
        )
        for row in rows
    ]
    shell.console.out(table(cells, ("Version", "Description", "Mode", "When")))


@verb(app, "releases:info", "devenv releases:info", "devenv releases:info v7 --json")
def info(shell: Shell, release: Release = None) -> None:
    """Show a release: what changed, when, its add-ons, its config vars."""
    from devenv.ops.releases import info as read
    from devenv.ops.status import ago

    found = read(shell.env, number(release))
    if shell.json:
        emit(shell, found)
        return
    out, row = shell.console.out, found.row
    facts = {
        "Add-ons": ", ".join(found.addons),
        "Change": row.description,
        "Commit": row.commit,
        "Eligible for Rollback?": "Yes" if found.eligible else "No",
        "Mode": row.mode.replace("-", " "),
        "Status": "" if row.status == "succeeded" else row.status,
        "When": ago(row.created),
    }
    out(f"=== Release v{row.version}\n")
    columns(shell, {name: value for name, value in facts.items() if value})
    out(f"\n=== v{row.version} Config vars\n")
    columns(shell, dict(sorted(found.config.items())))


@verb(app, "releases:output", "devenv releases:output", "devenv releases:output v7")
def output(shell: Shell, release: Release = None) -> None:
    """Print what the release command of a release said."""
    from devenv.ops.releases import output as read

    for line in read(shell.env, number(release)):
        shell.console.out(compact({"text": line}) if shell.json else line)


@verb(app, "releases:retry", "devenv releases:retry", "devenv releases:retry v7")
def retry(shell: Shell, release: Release = None) -> None:
    """Release the newest release once more, its release command included."""
    from devenv.ops.rollback import retry as again

    done = again(shell.env, number(release))
    if shell.json:
        emit(shell, done)


@verb(app, "rollback", "devenv rollback", "devenv rollback v7")
def rollback(shell: Shell, release: Release = None) -> None:
    """Go back to an older release, by default the one before: its code and its config vars, as a new release.

    Add-ons and their data stay as they are.
    """
    from devenv.ops.rollback import rollback as back

    done = back(shell.env, number(release))
    if shell.json:
        emit(shell, done)
