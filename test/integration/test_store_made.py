"""
The table that `vecferry store create` makes, its index, and those who hold its rows.
"""

import threading

from migration import PATIENCE


def filled(knowledge, database, **sections):
    """A bot with one short text; the settings to load it with hashed vectors."""
    bot = knowledge.bot("Notes", files={"notes.txt": "The heron stands in the shallow water. " * 40})
    knowledge.save()
    return bot, knowledge.conf(database.url, embedder={"kind": "hashing"}, **sections)


def test_an_index_build_is_lent_the_memory_that_it_needs(vecferry, database, knowledge):
    """1536 dimensions and 10,500 rows want 65 MB; the server's default is 64."""
    _, conf = filled(knowledge, database)
    made = vecferry("store", "create", "--vector-dimensions", "1536", "--config", conf)
    assert made.status == 0, made.stderr
    database.execute(
        "INSERT INTO items SELECT 'other-' || i, 'other', 'text', 'source', "
        "(SELECT array_agg(random()) FROM generate_series(1, 1536) WHERE i = i)::vector "
        "FROM generate_series(1, 10500) AS i"
    )
    result = vecferry("apply", "--yes", "--dimensions", "1536", "--config", conf, timeout=120 * PATIENCE)
    assert result.status == 0, result.stderr
    valid = "SELECT indisvalid FROM pg_index WHERE indexrelid = 'idx_items_embedding'::regclass"
    assert database.execute(valid) == [(True,)]


def test_store_create_is_whole_or_not_at_all(vecferry, database, knowledge):
    """A role that may make tables but no schema gets neither the table nor a half-made store."""
    _, conf = filled(knowledge, database)
    database.execute("CREATE EXTENSION IF NOT EXISTS vector")
    database.execute("CREATE EXTENSION IF NOT EXISTS pgcrypto")
    database.execute("DROP ROLE IF EXISTS maker")
    database.execute("CREATE ROLE maker LOGIN")
    database.execute("GRANT CREATE ON SCHEMA public TO maker")
    try:
        url = database.url.replace("postgres@", "maker@", 1)
        result = vecferry("store", "create", "--config", conf, "--new-store", url)
        assert result.status == 1
        assert "permission denied for database" in result.stderr
        assert database.execute("SELECT to_regclass('items')") == [(None,)]
    finally:
        database.execute("DROP OWNED BY maker")
        database.execute("DROP ROLE maker")


def test_who_holds_a_row_does_not_make_all_writers_wait(vecferry, database, knowledge):
    """Another bot's writer gets through while our replacement waits for a locked row."""
    bot, conf = filled(knowledge, database)
    assert vecferry("store", "create", "--config", conf).status == 0
    assert vecferry("apply", "--yes", "--config", conf).status == 0
    database.execute("DELETE FROM vecferry.mark")
    database.execute("UPDATE items SET content = NULL")

    with database.connect() as holder, holder.cursor() as cursor:
        cursor.execute("SELECT * FROM items FOR UPDATE")
        program = vecferry.start("apply", "--yes", "--config", conf)
        inserted = threading.Event()

        def insert_again_and_again():
            for i in range(40):
                database.execute(f"INSERT INTO items (id, botid) VALUES ('x{i}', 'other')")
            inserted.set()

        threading.Thread(target=insert_again_and_again, daemon=True).start()
        assert inserted.wait(40 * PATIENCE), "a writer of another bot stood still"
        holder.rollback()
    program.communicate(timeout=60 * PATIENCE)
    assert program.returncode == 0


def test_a_dry_run_of_store_create_makes_nothing(vecferry, database, knowledge):
    _, conf = filled(knowledge, database)
    result = vecferry("store", "create", "--dry-run", "--config", conf)
    assert result.status == 0 and result.stdout.startswith("Would make the table items")
    assert database.execute("SELECT to_regclass('items'), to_regnamespace('vecferry')") == [(None, None)]
    assert vecferry("store", "create", "--config", conf).status == 0
    again = vecferry("store", "create", "--dry-run", "--config", conf)
    assert again.status == 3 and "already has the table" in again.stderr
