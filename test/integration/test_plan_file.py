"""`plan -o FILE` and `apply FILE`: where a plan is kept, and what is agreed by it."""

import json
import os
import stat
import threading
import time

import documents
import pytest
from migration import one_error

FAILED = 1
SOME_FAILED = 4


def bots_of(text):
    return [bot["bot"] for bot in json.loads(text)["bots"]]


def assert_is_plan(migration, text):
    assert bots_of(text) == bots_of(migration.plan("--json").stdout)


# --- where it is kept -----------------------------------------------------------------------


def test_a_fifo_is_written_to_and_stays(migration, tmp_path):
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    read = []
    reader = threading.Thread(target=lambda: read.append(fifo.read_text()), daemon=True)
    reader.start()
    time.sleep(0.2)
    migration.plan("-o", fifo)
    reader.join(10)
    assert fifo.is_fifo()
    assert_is_plan(migration, read[0])


def test_a_fifo_that_nobody_reads_is_not_waited_for(migration, tmp_path):
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    result = migration.plan("-o", fifo, expect=FAILED)
    assert "hint: start first who reads it" in result.stderr
    assert fifo.is_fifo()


def test_a_device_is_written_to_and_stays(migration, tmp_path):
    """A device of our own: what goes wrong here must not harm the machine's."""
    null = tmp_path / "null"
    try:
        os.mknod(null, 0o666 | stat.S_IFCHR, os.makedev(1, 3))
        null.write_text("")
    except OSError:
        pytest.skip("this user makes no devices here")
    migration.plan("-o", null)
    assert null.is_char_device()


def test_a_full_device_is_a_failure(migration, tmp_path):
    full = tmp_path / "full"
    try:
        os.mknod(full, 0o666 | stat.S_IFCHR, os.makedev(1, 7))
        full.open("w").close()
    except OSError:
        pytest.skip("this user makes no devices here")
    result = migration.plan("-o", full, expect=FAILED)
    assert one_error(result) == f'could not keep the plan in "{full}": No space left on device'
    assert "hint: make room there, or give another place with -o" in result.stderr
    assert full.is_char_device()


def test_a_link_is_followed(migration, tmp_path):
    (tmp_path / "kept").mkdir()
    target = tmp_path / "kept" / "plan.json"
    link = tmp_path / "plan"
    link.symlink_to("kept/plan.json")
    migration.plan("-o", link)
    assert link.is_symlink()
    assert_is_plan(migration, target.read_text())

    target.write_text("an older plan")
    migration.plan("-o", link)
    assert link.is_symlink()
    assert_is_plan(migration, target.read_text())


def test_links_in_a_circle_are_an_error(migration, tmp_path):
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    result = migration.plan("-o", tmp_path / "a", expect=FAILED)
    assert one_error(result).startswith(f'could not keep the plan in "{tmp_path / "a"}": ')


def test_a_plan_is_for_its_owner_and_an_older_one_for_whom_it_was(migration, tmp_path):
    path = tmp_path / "plan"
    migration.plan("-o", path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    path.chmod(0o640)
    migration.plan("-o", path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert [file.name for file in tmp_path.glob("plan*")] == ["plan"]


def test_our_own_output_gets_the_plan_and_then_the_table(migration):
    result = migration.plan("-o", "/dev/stdout")
    plan, end = json.JSONDecoder().raw_decode(result.stdout)
    assert plan["bots"]
    assert "In all:" in result.stdout[end:]


@pytest.mark.parametrize(
    "path, remedy",
    [("nowhere/plan", "make its folder first"), (".", "give a file's name"), ("file/plan", "make its folder first")],
)
def test_a_place_that_cannot_be_is_an_error_with_its_remedy(migration, tmp_path, path, remedy):
    (tmp_path / "file").write_text("")
    result = migration.plan("-o", tmp_path / path, expect=FAILED)
    assert one_error(result).startswith(f'could not keep the plan in "{tmp_path / path}": ')
    assert f"hint: {remedy}" in result.stderr


# --- what is agreed by it -------------------------------------------------------------------


@pytest.fixture
def planned(migration, library, tmp_path):
    """A small bot, and the plan for it in a file."""
    bot = library.bot("Small", files={"small.txt": documents.text(list(documents.sentences("small", 6)))}, size=(200, 20))
    migration.plan("--bot", bot, "-o", tmp_path / "plan")
    return tmp_path / "plan"


def test_a_file_that_grew_after_the_plan_is_not_paid_for(migration, library, planned):
    path = next(library.documents.glob("*/*/documents/small.txt"))
    bytes_then = path.stat().st_size
    path.write_text(documents.text(list(documents.sentences("grown", 400))))
    result = migration.apply(planned, expect=SOME_FAILED)
    bytes_now = path.stat().st_size
    assert f"small.txt has {bytes_now} bytes now, {bytes_then} bytes when the plan was made; plan again" in result.stdout
    assert migration.tokens_billed() == 0
    assert migration.rows() == []


def test_another_price_than_the_plans_is_not_agreed(migration, planned):
    result = migration.apply(planned, "--price", 9_000_000, expect=SOME_FAILED)
    assert "it would cost more than the plan says at most (dollars); plan again" in result.stdout
    assert migration.tokens_billed() == 0


def test_a_bot_as_the_plan_says_is_loaded_at_the_same_price(migration, planned):
    migration.apply(planned)
    assert len(migration.marks()) == 1
