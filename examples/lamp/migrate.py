"""Release phase: applies, in order, the files of migrations/ that the database has not seen: all or none."""

import sys
from pathlib import Path

import psycopg

from backends import database, log, patiently, start_logging

FILES = sorted((Path(__file__).parent / "migrations").glob("*.sql"))


def main() -> int:
    start_logging()
    try:
        connection = patiently("Postgres", database, psycopg.OperationalError)
    except psycopg.OperationalError as error:
        log.error("no database, no migration: %s", error)
        return 1
    with connection:
        connection.execute("select pg_advisory_xact_lock(20)")  # two releases at once take turns
        connection.execute(
            "create table if not exists schema_migrations"
            " (version text primary key, applied_at timestamptz not null default now())"
        )
        done = {version for (version,) in connection.execute("select version from schema_migrations")}
        waiting = [file for file in FILES if file.stem not in done]
        for file in waiting:
            log.info("migrating %s", file.stem)
            connection.execute(file.read_text())
            connection.execute("insert into schema_migrations (version) values (%s)", [file.stem])
    log.info("the schema is up to date: %d applied now, %d before", len(waiting), len(done))
    return 0


if __name__ == "__main__":
    sys.exit(main())
