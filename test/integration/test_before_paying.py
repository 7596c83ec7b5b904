"""What can be known of a document before its bot is paid for is known then."""

import documents
import pytest
from migration import end
from postgres import wait_until

SOME_FAILED = 4


def long_text(name, count=60):
    return documents.text(list(documents.sentences(name, count)))


@pytest.mark.parametrize(
    "name, content, reason",
    [
        ("empty.txt", b"", "empty: it has no bytes; upload it again, or take it out of the bot's knowledge"),
        ("talk.pptx", b"PK\x03\x04\0\0ppt/slides", "unsupported: a document of type application/vnd.openxml"),
        ("photo.png", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "unsupported: a document of type image/png; what is read: txt, md"),
    ],
)
def test_plan_blocks_what_can_never_be_read(migration, library, name, content, reason):
    bot = library.bot("Late", files={"big.txt": long_text("zz"), name: content}, size=(200, 20))
    result = migration.plan("--bot", bot).stdout
    assert "blocked" in result and f"{name}: {reason}" in result
    migration.apply("--bot", bot, expect=SOME_FAILED)
    assert migration.tokens_billed() == 0


def test_plan_blocks_a_text_above_the_limit(migration, library):
    bot = library.bot("Large", files={"large.txt": long_text("zz")}, size=(200, 20))
    result = migration.plan("--bot", bot, "--max-text-bytes", 100).stdout
    assert "large.txt: too large" in result and "--max-text-bytes permits more" in result
    assert "blocked" not in migration.plan("--bot", bot, "--max-text-bytes", 1_000_000).stdout


def test_with_partial_loads_the_others_are_loaded(migration, library):
    bot = library.bot("Late", files={"big.txt": long_text("zz", 10), "empty.txt": b""}, size=(200, 20))
    result = migration.apply("--bot", bot, "--allow-partial", expect=SOME_FAILED)
    assert "empty: it has no bytes" in result.stdout
    assert migration.rows() and not migration.marks()[bot][1]


def test_a_file_emptied_after_the_plan_costs_the_others_nothing(migration, library, provider):
    """The bots have their turns one after another; the second one's last file is emptied meanwhile."""
    second = library.bot("Second", files={"a.txt": long_text("second"), "b.txt": "A text.\n"}, size=(200, 20))
    first = library.bot("First", files={"first.txt": long_text("first", 20)}, size=(200, 20))
    provider.change(latency_ms=200)
    process = migration.start("--bot", first, "--bot", second, "--workers", "1")
    assert wait_until(lambda: provider.stats()["calls"] >= 1, 30)
    next(library.documents.glob("*/*/documents/b.txt")).write_bytes(b"")
    status, stdout, _ = end(process)
    assert status == SOME_FAILED
    assert "empty: it has no bytes" in stdout
    assert set(migration.marks()) == {first}
    billed = sum(migration.times_billed().values())
    assert billed == len(migration.rows())
