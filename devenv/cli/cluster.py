"""`devenv cluster` and its kin."""

from devenv.cli.common import Confirm, Shell, Yes, verb, verbs
from devenv.cli.render import emit

app = verbs()


@verb(app, "cluster", "devenv cluster", "devenv cluster --json")
def cluster(shell: Shell) -> None:
    """Show the cluster: state, address, registry, kubeconfig, envs."""
    from devenv.ops.clusters import info

    found = info(shell.env)
    if shell.json:
        emit(shell, found)
        return
    shell.console.out(f"=== {found.name} ({found.provider})\n")
    rows = [
        ("State", found.state),
        ("Kubernetes", found.kubernetes),
        ("Images", found.images),
        ("Router", found.router),
        ("Registry", found.registry),
    ]
    rows += [
        ("Kubeconfig", found.kubeconfig),
        ("Memory", f"{found.memory}M" if found.memory else None),
        ("Envs", ", ".join(found.envs) or "none"),
    ]
    for title, value in rows:
        if value:
            shell.console.out(f"{title + ':':<12} {value}")


@verb(app, "cluster:status", "devenv cluster status")
def status(shell: Shell) -> None:
    """The same as `devenv cluster`."""
    cluster(shell)


@verb(app, "cluster:create", "devenv cluster create", "devenv cluster create --provider minikube")
def create(shell: Shell) -> None:
    """Make the cluster now, with its registry and router; `up` does it when there is none."""
    from devenv.ops.cluster import ensure, wait_router

    found = ensure(shell.env)
    wait_router(shell.env)
    shell.console.say(f"Cluster {shell.env.spec.name} runs; the router listens on http://localhost:{found.http_port}")
    if shell.json:
        emit(shell, found)


@verb(app, "cluster:delete", "devenv cluster delete", "devenv cluster delete --yes")
def delete(shell: Shell, confirm: Confirm = None, yes: Yes = False) -> None:
    """Delete the cluster with all envs and all their data. Asks for its name first."""
    from devenv.ops.clusters import delete as remove
    from devenv.ops.clusters import info

    found = info(shell.env)
    if found.state != "absent" and (confirm is not None or not yes):
        warning = f"this deletes {found.name} with all data of: {', '.join(found.envs) or 'no env'}"
        shell.confirm(warning, "deleted", found.name, confirm)
    remove(shell.env)  # of an absent one too: an interrupted run may have left its registry
    shell.console.say(
        f"There is no cluster {found.name}." if found.state == "absent" else f"Cluster {found.name} is deleted."
    )
    if shell.json:
        emit(shell, {"name": found.name})
