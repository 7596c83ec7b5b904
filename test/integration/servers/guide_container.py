#!/usr/bin/python3
"""Does to PostgreSQL what Bedrock Chat's own embedding container does.

Other tools have to live beside that container: it may write a bot's rows while
a copy, a verification or a worker of ours is at the same bot.  It connects,
and in one transaction deletes all rows of the bot and inserts the new ones one
by one, each with a new ULID and its vector as JSON text; then it commits.  It
takes no lock, and its isolation is the server's default, READ COMMITTED (said
aloud here, so that the default of a test's server does not matter).  The whole
is tried four times, two seconds apart, each time on a new connection.

As a program it tells every step on stdout, so that a test knows where it is:

    guide_container.py --dsn "host=/run/pg dbname=postgres" --botid 01H… --rows 3 \
        --pause-after-delete 2
    deleted 12
    inserted 1
    …
    committed
"""

from __future__ import annotations

import argparse
import json
import secrets
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import psycopg2
from psycopg2.extensions import ISOLATION_LEVEL_READ_COMMITTED, connection

from vectors import expected_vector

TRIES = 4
SECONDS_BETWEEN_TRIES = 2.0
CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

DELETE = "DELETE FROM items WHERE botid = %s"
INSERT = "INSERT INTO items (id, botid, content, source, embedding) VALUES (%s, %s, %s, %s, %s)"


@dataclass(frozen=True)
class Row:
    """A chunk as the container holds it before it inserts."""

    content: str
    source: str
    vector: Sequence[float]


@dataclass(frozen=True)
class Pauses:
    """Where the container is held up, in seconds."""

    after_delete: float = 0
    between_inserts: float = 0
    before_commit: float = 0


def replace_rows(
    dsn: str,
    botid: str,
    rows: Sequence[Row],
    pauses: Pauses = Pauses(),
    tell: Callable[[str], None] = lambda step: None,
    tries: int = TRIES,
) -> None:
    """Replaces the bot's rows; the last try's error is the caller's."""
    for left in reversed(range(tries)):
        try:
            replace_rows_once(dsn, botid, rows, pauses, tell)
            return
        except psycopg2.Error:
            if left == 0:
                raise
            tell("failed")
            time.sleep(SECONDS_BETWEEN_TRIES)


def replace_rows_once(
    dsn: str, botid: str, rows: Sequence[Row], pauses: Pauses, tell: Callable[[str], None]
) -> None:
    """One connection, one transaction.  On an error nothing has changed."""
    database = connect(dsn)
    try:
        with database.cursor() as cursor:
            cursor.execute(DELETE, (botid,))
            tell(f"deleted {cursor.rowcount}")
            time.sleep(pauses.after_delete)
            for number, row in enumerate(rows, 1):
                embedding = json.dumps(list(row.vector))
                cursor.execute(INSERT, (ulid(), botid, row.content, row.source, embedding))
                tell(f"inserted {number}")
                time.sleep(pauses.between_inserts)
        time.sleep(pauses.before_commit)
        database.commit()
        tell("committed")
    finally:
        database.close()


def connect(dsn: str) -> connection:
    database = psycopg2.connect(dsn)
    database.set_session(isolation_level=ISOLATION_LEVEL_READ_COMMITTED, autocommit=False)
    return database


def made_rows(botid: str, count: int, source: str, dims: int, name: str) -> Iterator[Row]:
    """Rows whose text says which they are and whose vector follows from the text."""
    for number in range(1, count + 1):
        content = f"{name} {number} of {count} of bot {botid}"
        yield Row(content, source, expected_vector(content, dims))


def ulid() -> str:
    """48 bits of time, 80 of chance, in 26 characters."""
    number = int(time.time() * 1000) << 80 | secrets.randbits(80)
    return "".join(CROCKFORD[number >> shift & 31] for shift in range(125, -1, -5))


def main() -> None:
    options = argparse.ArgumentParser(description="Bedrock Chat's container, at its insert.")
    add = options.add_argument
    add("--dsn", required=True, help="libpq connection string")
    add("--botid", required=True, help="26 characters")
    add("--rows", type=int, default=10, help="how many to insert (default: 10)")
    add("--dims", type=int, default=1024, help="of their vectors (default: 1024)")
    add("--source", default="s3://bucket/user/bot/documents/made.txt", help="of all rows")
    add("--name", default="chunk", help="the first word of every text")
    add("--pause-after-delete", type=float, default=0, metavar="SECONDS")
    add("--pause-between-inserts", type=float, default=0, metavar="SECONDS")
    add("--pause-before-commit", type=float, default=0, metavar="SECONDS")
    add("--tries", type=int, default=TRIES, help=f"before it gives up (default: {TRIES})")
    given = options.parse_args()
    pauses = Pauses(
        given.pause_after_delete, given.pause_between_inserts, given.pause_before_commit
    )
    rows = list(made_rows(given.botid, given.rows, given.source, given.dims, given.name))
    replace_rows(
        given.dsn, given.botid, rows, pauses, lambda step: print(step, flush=True), given.tries
    )


if __name__ == "__main__":
    main()
