"""`devenv plan`."""

from typing import Annotated

import typer

from devenv.base.console import table
from devenv.cli.common import Shell, verb, verbs
from devenv.cli.render import emit

app = verbs()


@verb(app, "plan", "devenv plan", "devenv plan --json", "devenv plan --dockerfile")
def plan(
    shell: Shell,
    dockerfile: Annotated[bool, typer.Option("--dockerfile", help="Print the Dockerfile that would be built.")] = False,
) -> None:
    """Show what `up` would do and why, without touching anything."""
    from devenv.ops.preview import preview

    found = preview(shell.env)
    if shell.json:
        emit(shell, found)
        return
    out, style = shell.console.out, shell.console.style
    if dockerfile:
        for image in found.images:
            out(f"# {image.name}\n{image.dockerfile}")
        return
    for warning in found.warnings:
        shell.console.warn(warning)
    out(style(f"=== {found.env}", "bold", out=True) + "\n")
    rows = [
        ("app", found.app),
        ("cluster", found.cluster),
        ("address", found.url or "none: there is no web process type"),
    ]
    out("\n".join(f"{name + ':':<10} {value}" for name, value in rows) + "\n")
    out(style("=== Images", "bold", out=True) + "\n")
    for image in found.images:
        out(f"{image.name}: {image.how} ({'built already' if image.present else 'to be built'})")
    out()
    out(style("=== Processes", "bold", out=True) + "\n")
    out(
        table(
            [(row.type, str(row.quantity), row.size, row.command, row.source) for row in found.processes],
            ("type", "qty", "size", "command", "from"),
        )
    )
    out()
    out(style("=== Add-ons", "bold", out=True) + "\n")
    if found.addons:
        for addon in found.addons:
            out(
                style(
                    f"{addon.service}{':' + addon.plan if addon.plan else ''} as {addon.attachment}", "bold", out=True
                )
                + f"  (from {addon.source})"
            )
            out(f"    here:        {addon.mode}: {addon.stands_in}")
            out(f"    sets:        {', '.join(addon.config) or 'nothing'}")
            out(f"    production:  {addon.equivalent}")
            out(f"    migration:   priority {addon.priority}, risk {addon.risk}: {addon.reason}")
    else:
        out("none")
    out()
    out(style("=== Config vars", "bold", out=True) + "\n")
    for name, origin in found.config.items():
        out(f"{name}  {style(origin, 'dim', out=True)}")
    for line in found.missing:
        out(f"{style('missing', 'red', out=True)}  {line}")
    out("\n" + style("=== Steps", "bold", out=True) + "\n")
    for number, step in enumerate(found.steps, 1):
        out(f"{number}. {step}")
