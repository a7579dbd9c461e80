"""`plan` as text."""

from devenv.base.console import Console, table
from devenv.ops.preview import AddonRow, Preview
from devenv.plan.names import host


def show(console: Console, found: Preview) -> None:
    """Print the plan: facts, images, processes, add-ons, config vars, steps."""
    for warning in found.warnings:
        console.warn(warning)
    _heading(console, found.env)
    console.out(f"app:       {found.app}")
    console.out(f"cluster:   {found.cluster}")
    console.out(f"address:   {found.url or _no_url(found)}\n")
    _heading(console, "Images")
    for image in found.images:
        console.out(f"{image.name}: {image.how} ({'built already' if image.present else 'to be built'})")
    console.out()
    _heading(console, "Processes")
    rows = [(row.type, str(row.quantity), row.size, row.command, row.source) for row in found.processes]
    console.out(table(rows, ("type", "qty", "size", "command", "from")) + "\n")
    _heading(console, "Add-ons")
    for addon in found.addons:
        _addon(console, addon)
    console.out("" if found.addons else "none\n")
    _heading(console, "Config vars")
    for name, origin in found.config.items():
        console.out(f"{name}  {console.style(origin, 'dim', out=True)}")
    for line in found.missing:
        console.out(f"{console.style('missing', 'red', out=True)}  {line}")
    console.out()
    _heading(console, "Steps")
    for number, step in enumerate(found.steps, 1):
        console.out(f"{number}. {step}")


def _no_url(found: Preview) -> str:
    if not any(row.type == "web" for row in found.processes):
        return "none: there is no web process type"
    return f"http://{host(found.env)}, on the first free port from 8080 when the cluster is made"


def _heading(console: Console, text: str) -> None:
    console.out(console.style(f"=== {text}", "bold", out=True) + "\n")


def _addon(console: Console, addon: AddonRow) -> None:
    title = f"{addon.service}{':' + addon.plan if addon.plan else ''} as {addon.attachment}"
    console.out(f"{console.style(title, 'bold', out=True)}  (from {addon.source})")
    console.out(f"    here:        {addon.mode}: {addon.stands_in}")
    console.out(f"    sets:        {', '.join(addon.config) or 'nothing'}")
    console.out(f"    production:  {addon.equivalent}")
    console.out(f"    migration:   priority {addon.priority}, risk {addon.risk}: {addon.reason}")
