"""Clients of the stand-ins, run in the stand-ins' own pods: nothing to install, always the server's version."""

from collections.abc import Sequence
from dataclasses import dataclass

from devenv.base.errors import InputError
from devenv.cluster import kubectl
from devenv.ops import shipped
from devenv.ops.env import Env
from devenv.plan.model import AddonSpec


@dataclass(frozen=True, slots=True)
class Target:
    """A running stand-in."""

    name: str  # Helm release: postgres, postgres-analytics
    pod: str
    spec: AddonSpec


@dataclass(frozen=True, slots=True)
class Database:
    """A row of pg:info."""

    name: str
    urls: tuple[str, ...]
    plan: str
    status: str
    connections: str
    version: str
    size: str
    tables: str


def choose(env: Env, client: str, words: Sequence[str]) -> tuple[Target, list[str]]:
    """The stand-in that `client` talks to, and the words left for it. Raises InputError when there is none or it is down."""
    targets = _targets(env, client)
    if not targets:
        service = next(
            (slug for spec in shipped.catalog().addons.values() if client in spec.clients for slug in spec.services), ""
        )
        raise InputError(f"{env.name} has no add-on for `{client}`", f"`devenv addons:create {service}` adds one")
    rest = list(words)
    if rest and (
        named := next((each for each in targets if rest[0].lower().replace("_url", "") in _names(each)), None)
    ):
        return named, rest[1:]
    return targets[0], rest


def _names(target: Target) -> tuple[str, ...]:
    return target.name, target.name.partition("-")[2] or "database"


def _targets(env: Env, client: str) -> list[Target]:
    env.require()
    catalog = shipped.catalog()
    pods = {
        pod.labels.get("statefulset.kubernetes.io/pod-name", pod.name): pod
        for pod in env.kube.pods(env.name, "devenv.dev/kind=addon")
    }
    found = []
    for item in env.kube.stateful_sets(env.name):
        spec = catalog.addons.get(shipped.chart_of(item.name))
        if spec is None or client not in spec.clients:
            continue
        pod = pods.get(f"{item.name}-0")
        if pod is None or not pod.ready:
            raise InputError(f"`{item.name}` of {env.name} is not up", "`devenv up` starts it")
        found.append(Target(item.name, pod.name, spec))
    return found


def run(env: Env, target: Target, client: str, words: Sequence[str], *, tty: bool) -> int:
    """Run the client on this terminal or pipe; its exit status."""
    argv = [*target.spec.clients[client], *words]
    return env.runner.interactive(
        kubectl.exec_argv(
            env.access, env.name, target.pod, None, argv, tty=tty, stdin=True, binary=str(env.tool("kubectl"))
        )
    )


QUERY = """select current_setting('server_version'),
 (select count(*) from pg_stat_activity where datname = current_database()), current_setting('max_connections'),
 pg_size_pretty(pg_database_size(current_database())),
 (select count(*) from information_schema.tables where table_schema not in ('pg_catalog', 'information_schema'))"""


def databases(env: Env) -> list[Database]:
    """pg:info's rows. Raises InputError when a database is down."""
    rows = []
    config = env.served().get("config", {})
    for target in _targets(env, "pg:psql"):
        argv = [*target.spec.clients["pg:psql"], "-At", "-F", "|", "-c", QUERY]
        done = env.kube.exec(env.name, target.pod, argv)
        version, used, most, size, tables = done.stdout.strip().split("|")
        host = f"@{target.name}.{env.name}:"
        urls = tuple(sorted(name for name, value in config.items() if host in value))
        rows.append(
            Database(target.name, urls, "stand-in", "Available", f"{used}/{most}", version.split()[0], size, tables)
        )
    return rows
