"""`devenv doctor`."""

import typer

from devenv.cli.common import Shell, verb, verbs
from devenv.cli.render import emit

app = verbs()


@verb(app, "doctor", "devenv doctor", "devenv doctor --json")
def doctor(shell: Shell) -> None:
    """Check this machine, the tools, the cluster and the app; say what to do about each problem."""
    from devenv.ops.doctor import examine

    findings = examine(shell.env)
    if shell.json:
        emit(shell, findings)
    for finding in [] if shell.json else findings:
        mark = (
            shell.console.style("✓", "green", out=True) if finding.good else shell.console.style("✗", "red", out=True)
        )
        shell.console.out(f"{mark} {finding.what}: {finding.found}")
        if finding.next_step:
            shell.console.out(f"  {finding.next_step}")
    if not all(finding.good for finding in findings):
        raise typer.Exit(1)
