"""`ps` as text, in Heroku's shape (heroku.md section 6.3)."""

from itertools import groupby

from devenv.base.console import Console
from devenv.ops.status import AddonState, Dyno, Status, ago

COLORS = {"up": "green", "starting": "yellow", "complete": "dim"}


def show(console: Console, found: Status, dynos: list[Dyno], *, addons: bool) -> None:
    """Print the dynos by process type, the add-ons when wanted, and the sums."""
    if not dynos:
        console.out(f"No dynos on {found.env}" + ("" if found.running else " (it is down: `devenv up` starts it)"))
    for kind, group in groupby(
        dynos, key=lambda dyno: (dyno.type, dyno.size, "" if dyno.type == "run" else dyno.command)
    ):
        members = list(group)
        console.out(console.style(f"=== {_title(*kind)} ({len(members)})", "bold", out=True) + "\n")
        for dyno in members:
            console.out(_line(console, dyno))
        console.out()
    if found.addons and addons:
        console.out(console.style("=== Add-ons", "bold", out=True) + "\n")
        for addon in found.addons:
            console.out(_addon(console, addon))
        console.out()
    mode = {"work-tree": "work tree", "release": "release"}.get(found.mode, "no release yet")
    where = f"  {found.url}" if found.url and found.running else ""
    console.out(
        f"v{found.version} ({mode}), {found.memory}M of memory, the whole cluster {found.cluster_memory}M{where}"
    )


def _title(kind: str, size: str, command: str) -> str:
    return "run: one-off processes" if kind == "run" else f"{kind} ({size}): {command or 'the CMD of its image'}"


def _line(console: Console, dyno: Dyno) -> str:
    state = console.style(dyno.state, COLORS.get(dyno.state, "red"), out=True)
    parts = [f"{dyno.name}: {state} {ago(dyno.since)}".rstrip()]
    parts += [f": {dyno.command}"] if dyno.type == "run" and dyno.command else []
    parts += [f": {dyno.detail}"] if dyno.detail else []
    if dyno.memory is not None and dyno.quota:
        parts.append(console.style(f"  {dyno.memory}M of {dyno.quota}M", "dim", out=True))
        parts += [console.style(" R14 (Memory quota exceeded)", "red", out=True)] if dyno.memory > dyno.quota else []
    return "".join(parts)


def _addon(console: Console, addon: AddonState) -> str:
    state = "up" if addon.ready else "starting" if addon.running else "down"
    memory = console.style(f"  {addon.memory}M", "dim", out=True) if addon.memory is not None else ""
    return f"{addon.name}: {console.style(state, 'green' if addon.ready else 'yellow', out=True)}{memory}"
