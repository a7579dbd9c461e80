"""`pg:psql`, `redis:cli` and the other clients: run inside the stand-in, at the server's own version."""

import sys
from typing import Annotated

import typer

from devenv.base.errors import InputError
from devenv.cli.common import Shell, verb, verbs
from devenv.cli.render import emit

app = verbs()
Words = Annotated[list[str] | None, typer.Argument(help="Arguments of the client.", metavar="[ARG]...")]


def _client(shell: Shell, name: str, words: list[str] | None) -> None:
    from devenv.ops import clients

    target, rest = clients.choose(shell.env, name, words or [])
    shell.console.detail(f"--> Connecting to {target.name}")
    raise typer.Exit(clients.run(shell.env, target, name, rest, tty=sys.stdin.isatty() and sys.stdout.isatty()))


@verb(
    app, "pg:psql", "devenv pg:psql", "devenv pg:psql -c 'select 1'", "devenv pg:psql ANALYTICS < dump.sql", client=True
)
def psql(shell: Shell, words: Words = None) -> None:
    """psql on the env's Postgres; a first word that is an attachment chooses among several."""
    _client(shell, "pg:psql", words)


@verb(app, "redis:cli", "devenv redis:cli", "devenv redis:cli GET lamp:state", client=True)
def redis(shell: Shell, words: Words = None) -> None:
    """The command line of the env's Key-Value Store."""
    _client(shell, "redis:cli", words)


@verb(app, "mqtt:sub", "devenv mqtt:sub -t 'lamp/#' -v", client=True)
def subscribe(shell: Shell, words: Words = None) -> None:
    """Print messages of the env's MQTT broker."""
    _client(shell, "mqtt:sub", words)


@verb(app, "mqtt:pub", "devenv mqtt:pub -q 1 -t lamp/set -m on", client=True)
def publish(shell: Shell, words: Words = None) -> None:
    """Publish to the env's MQTT broker."""
    _client(shell, "mqtt:pub", words)


@verb(app, "es:curl", "devenv es:curl /_cat/indices", "devenv es:curl /lamp-events/_search?q=blue", client=True)
def elastic(shell: Shell, words: Words = None) -> None:
    """An HTTP request to the env's Elasticsearch."""
    _client(shell, "es:curl", words)


@verb(app, "pg:info", "devenv pg:info")
def info(shell: Shell) -> None:
    """Facts about the env's Postgres databases."""
    from devenv.ops import clients

    rows = clients.databases(shell.env)
    if shell.json:
        emit(shell, rows)
        return
    if not rows:
        raise InputError(
            f"{shell.env.name} has no heroku-postgresql databases", "devenv addons:create heroku-postgresql:essential-0"
        )
    for row in rows:
        shell.console.out(f"=== {', '.join(row.urls)}\n")
        facts = [
            ("Plan", row.plan),
            ("Status", row.status),
            ("Connections", row.connections),
            ("PG Version", row.version),
        ]
        facts += [("Data Size", row.size), ("Tables", row.tables), ("Add-on", row.name)]
        for title, value in facts:
            shell.console.out(f"{title + ':':<13} {value}")
        shell.console.out()
