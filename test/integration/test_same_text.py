"""A source that looks changed and reads the same is not paid for again, nor are its rows made anew."""

import email.utils
import http.server
import json
import os
import threading
import time

import documents
import pytest
from migration import DIMENSIONS, Migration, end
from postgres import wait_until


class Page(http.server.BaseHTTPRequestHandler):
    """A page that was always modified just now."""

    protocol_version = "HTTP/1.1"
    lines = list(documents.sentences("the page", 30))

    def do_GET(self):
        body = documents.html_page("Page", self.lines)
        body = body if isinstance(body, bytes) else body.encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Last-Modified", email.utils.formatdate(usegmt=True))
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    do_HEAD = do_GET

    def log_message(self, *_):
        pass


@pytest.fixture
def page():
    class Own(Page):
        pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Own)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    Own.url = f"http://127.0.0.1:{server.server_port}/page"
    yield Own
    server.shutdown()
    server.server_close()


@pytest.fixture
def loaded(vecferry, database, provider, knowledge, page):
    """One bot of a page and a file, loaded."""
    knowledge.items.clear()
    text = documents.text(list(documents.sentences("the file", 30)))
    knowledge.bot("Web", urls=[page.url], files={"f.txt": text}, size=(200, 20))
    migration = Migration(vecferry, database, knowledge, provider)
    migration.apply()
    time.sleep(1.1)
    return migration


def path_of(migration, name="f.txt"):
    return next(migration.knowledge.documents.glob(f"*/*/documents/{name}"))


def ids(migration, ending):
    found = migration.database.execute("SELECT id, source FROM items ORDER BY 1")
    return [id for id, source in found if source.endswith(ending)]


def planned(migration):
    (bot,) = json.loads(migration.plan("--json").stdout)["bots"]
    return bot


def reason_of(migration, ending):
    (source,) = [source for source in planned(migration)["sources"] if source["source"].endswith(ending)]
    return source["reason"]


def test_a_page_that_always_looks_new_costs_nothing(loaded):
    bot = planned(loaded)
    assert bot["action"] == "embed"
    assert bot["reason"] == "1 of 2 sources: its page says that it changed after its rows were made"
    assert bot["tokens"]["low"] == 0 < bot["tokens"]["expected"]
    tokens, rows, pages = loaded.tokens_billed(), loaded.rows(), ids(loaded, "/page")
    loaded.apply("--max-usd", loaded.tokens_billed())
    assert loaded.tokens_billed() == tokens
    assert loaded.rows() == rows and ids(loaded, "/page") == pages
    loaded.assert_whole()


def test_a_file_that_was_only_touched_is_kept_from_then_on(loaded, page):
    later = time.time() + 10
    os.utime(path_of(loaded), (later, later))
    tokens, rows = loaded.tokens_billed(), ids(loaded, "f.txt")
    assert reason_of(loaded, "f.txt") == "the file changed after its rows were made"
    loaded.apply()
    assert loaded.tokens_billed() == tokens and ids(loaded, "f.txt") == rows
    assert reason_of(loaded, "f.txt") is None


def test_only_the_source_that_changed_is_paid_for(loaded, page):
    calls_before = set(loaded.times_billed())
    kept = ids(loaded, "f.txt")
    page.lines = list(documents.sentences("another page", 25))
    loaded.apply()
    assert loaded.paid_again() == 0
    assert set(loaded.times_billed()) > calls_before
    assert ids(loaded, "f.txt") == kept
    assert not any("of the page" in row[2] for row in loaded.rows())
    loaded.assert_whole()


def test_rows_that_are_not_as_they_were_are_made_anew(loaded):
    """One row of the file lost its vector, another its row."""
    rows = loaded.rows()
    loaded.database.execute("UPDATE items SET embedding = NULL WHERE id = (SELECT min(id) FROM items WHERE source LIKE '%f.txt')")
    loaded.apply()
    assert loaded.rows() == rows
    loaded.database.execute("DELETE FROM items WHERE id = (SELECT max(id) FROM items WHERE source LIKE '%f.txt')")
    loaded.apply()
    assert loaded.rows() == rows
    loaded.assert_whole()


def test_rows_that_somebody_deletes_meanwhile_are_made_anew(loaded):
    """A session holds the table while the worker waits to replace the page's rows, and takes a row of the file."""
    rows = loaded.rows()
    other = loaded.database.connect()
    other.autocommit = False
    cursor = other.cursor()
    cursor.execute("LOCK TABLE items IN ROW EXCLUSIVE MODE")
    process = loaded.start()
    assert wait_until(lambda: loaded.database.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")[0][0] > 0, 30)
    cursor.execute("DELETE FROM items WHERE id = (SELECT min(id) FROM items WHERE source LIKE '%f.txt')")
    other.commit()
    status, _, stderr = end(process)
    assert status == 0 and "another program changed rows" in stderr
    assert loaded.rows() == rows
    loaded.assert_whole()


def test_another_splitter_or_model_makes_all_anew(loaded):
    before = ids(loaded, "")
    loaded.apply("--splitter", "corrected")
    assert not set(ids(loaded, "")) & set(before)
    loaded.configure(embedder={"document_prefix": "passage: "})
    tokens = loaded.tokens_billed()
    loaded.apply()
    assert loaded.tokens_billed() > tokens


def test_rows_that_another_program_wrote_are_not_kept(vecferry, database, provider, knowledge):
    """As many of them, with the same texts, and another model's vectors."""
    knowledge.items.clear()
    texts = {name: documents.text(list(documents.sentences(name, 10))) for name in ("a.txt", "b.txt")}
    knowledge.bot("Two", files=texts, size=(200, 20))
    migration = Migration(vecferry, database, knowledge, provider)
    migration.apply()
    foreign = f"(SELECT ('[' || string_agg('0.5', ',') || ']')::vector FROM generate_series(1, {DIMENSIONS}))"
    database.execute(f"UPDATE items SET embedding = {foreign}")
    time.sleep(1.1)
    path_of(migration, "a.txt").write_text(documents.text(list(documents.sentences("anew", 10))))
    migration.apply()
    migration.assert_whole()
