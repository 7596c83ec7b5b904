"""What a repeated `vecferry apply` makes of files that changed, went away or came back."""

import json
import os
import re
import time

import documents
import pytest
from knowledge import user_id
from migration import Migration, end, kill, one_error
from postgres import wait_until
from program import Result

SOME_FAILED = 4


@pytest.fixture
def two_files(vecferry, database, provider, knowledge):
    """One bot of two files, a.txt and b.txt."""
    knowledge.items.clear()
    files = {f"{name}.txt": documents.text(list(documents.sentences(name, count))) for name, count in (("a", 30), ("b", 10))}
    knowledge.bot("Two", files=files, size=(200, 20))
    return Migration(vecferry, database, knowledge, provider)


def path_of(migration, name):
    return next(migration.knowledge.documents.glob(f"*/*/documents/{name}"))


def take_away(path):
    """The file is missing; what is given back brings it again."""
    away = path.with_name(path.name + ".away")
    path.rename(away)
    return lambda: away.rename(path)


def change(path):
    path.write_text(path.read_text() + "One more sentence stands here at the end.\n")
    later = time.time() + 2
    os.utime(path, (later, later))


def rows_from(migration, name):
    return [row for row in migration.rows() if row[1].endswith(name)]


def test_a_file_that_changes_while_its_bot_is_embedded_is_seen_at_the_next_run(two_files, provider):
    provider.change(latency_ms=300)
    process = two_files.start()
    assert wait_until(lambda: provider.stats()["calls"] >= 1, 30)
    path_of(two_files, "a.txt").write_text("Wholly new words stand here.\n")
    assert end(process)[0] == 0
    assert not any("Wholly" in row[2] for row in two_files.rows())

    provider.change(latency_ms=0)
    assert "the file changed after its rows were made" in two_files.plan().stdout
    two_files.apply()
    assert [row[2] for row in rows_from(two_files, "a.txt")] == ["Wholly new words stand here."]
    two_files.assert_whole()


def test_a_file_that_stays_away_is_not_paid_for_at_every_run(two_files):
    take_away(path_of(two_files, "b.txt"))
    two_files.apply("--allow-partial", expect=SOME_FAILED)
    rows, calls = two_files.rows(), two_files.calls()
    assert rows and rows == rows_from(two_files, "a.txt")
    for _ in range(2):
        result = two_files.apply("--allow-partial", expect=SOME_FAILED)
        assert "the file is missing" in result.stdout
    assert two_files.calls() == calls
    assert two_files.rows() == rows


def test_a_bot_loaded_in_part_has_its_reason_though_its_worker_died(two_files):
    take_away(path_of(two_files, "b.txt"))
    result = two_files.apply("--allow-partial", env={"VECFERRY_FAULT": "after-replace"}, expect=SOME_FAILED)
    assert re.search(r"failed +\w+ +Two +1 +loaded in part; \S*/b\.txt: the file is missing", result.stdout)
    (bot,) = json.loads(two_files.run("status", "--json", "--config", two_files.conf, expect=0).stdout)["bots"]
    assert bot["reason"].endswith("b.txt: the file is missing")


def test_rows_of_a_partial_load_are_counted_at_every_apply(two_files):
    take_away(path_of(two_files, "b.txt"))
    first = two_files.apply("--allow-partial", expect=SOME_FAILED)
    rows = len(two_files.rows())
    assert f", {rows} chunks; 1 failed, 0 skipped" in first.stdout
    second = two_files.apply("--allow-partial", "--json", expect=SOME_FAILED)
    (bot,) = json.loads(second.stdout)["bots"]
    assert (bot["state"], bot["evidence"], bot["chunks"]) == ("skipped", "proven", rows)
    third = two_files.apply("--allow-partial", expect=SOME_FAILED)
    assert f"{rows} chunks; 0 failed, 1 skipped" in third.stdout


def test_a_file_that_comes_back_is_all_that_is_paid_for(two_files):
    bring_back = take_away(path_of(two_files, "b.txt"))
    two_files.apply("--allow-partial", expect=SOME_FAILED)
    bring_back()
    two_files.apply()
    assert rows_from(two_files, "b.txt")
    assert two_files.paid_again() == 0
    two_files.assert_whole()


def test_rows_of_a_file_that_went_away_stay(two_files):
    two_files.apply()
    of_b = rows_from(two_files, "b.txt")
    take_away(path_of(two_files, "b.txt"))
    change(path_of(two_files, "a.txt"))

    two_files.apply("--allow-partial", expect=SOME_FAILED)
    rows = two_files.rows()
    assert rows_from(two_files, "b.txt") == of_b
    assert any("One more sentence" in row[2] for row in rows)
    assert list(two_files.marks().values()) == [(len(rows), False)]

    calls = two_files.calls()
    two_files.apply("--allow-partial", expect=SOME_FAILED)
    assert two_files.calls() == calls
    assert two_files.rows() == rows


def test_another_table_under_the_same_name_stops_the_run(vecferry, database, provider, library):
    """Whoever made it anew meant another store than the one that was planned."""
    migration = Migration(vecferry, database, library, provider)
    provider.change(latency_ms=100)
    process = migration.start("--workers", "1")
    assert wait_until(lambda: provider.stats()["calls"] >= 1, 30)
    (columns,) = database.execute(
        "SELECT string_agg(attname || ' ' || format_type(atttypid, atttypmod), ', ' ORDER BY attnum) "
        "FROM pg_attribute WHERE attrelid = 'items'::regclass AND attnum > 0"
    )[0]
    database.execute(f"BEGIN; DROP TABLE items; CREATE TABLE items ({columns}); COMMIT")
    result = Result(*end(process))
    assert result.status == 3, result
    assert one_error(result).endswith("is not the store that was planned")


def test_rows_of_another_space_do_not_stay(two_files):
    two_files.apply()
    take_away(path_of(two_files, "b.txt"))
    two_files.configure(embedder={"document_prefix": "passage: "})
    two_files.apply("--allow-partial", expect=SOME_FAILED)
    rows = two_files.rows()
    assert rows and rows == rows_from(two_files, "a.txt")


def test_another_bucket_is_another_source(two_files):
    two_files.apply()
    bucket = ("--bucket", "another")
    assert "no rows in the new store" in two_files.plan(*bucket).stdout
    two_files.apply(*bucket)
    assert {row[1].split("/")[2] for row in two_files.rows()} == {"another"}
    two_files.assert_whole()


def test_what_is_staged_of_another_space_waits(two_files, provider):
    """Vectors of one model were paid for; loading the bot by another does not throw them away."""
    provider.change(script="ok*2,quota*")
    two_files.apply(expect=(1, SOME_FAILED))
    staged = two_files.staged()
    assert staged > 0
    provider.change(script="")
    two_files.configure(embedder={"document_prefix": "passage: "})
    two_files.apply()
    assert two_files.staged() == staged


def test_a_twin_keeps_its_rows(vecferry, database, knowledge):
    """Two users' bots of one id; each is loaded by a run of its own."""
    bot = knowledge.bot("One", user="ana", files={"a.txt": "Ana's sentence stands here.\n"})
    migration = Migration(vecferry, database, knowledge)
    migration.apply("--bot", bot)
    rows = migration.rows()
    ben = user_id("ben")
    knowledge.bot("Other", user="ben", PK=ben, SK=f"{ben}#BOT#{bot}", files={"b.txt": "Ben's sentence.\n"})

    result = migration.apply("--bot", bot, "--user", ben, expect=SOME_FAILED)
    assert "has a bot of the same id" in result.stdout
    assert migration.rows() == rows


# --- only what did not succeed --------------------------------------------------------------


def failed_once(migration, provider):
    provider.change(script="quota*")
    migration.apply(expect=(1, SOME_FAILED))
    provider.change(script="")


def test_only_failed_resumes_what_was_killed(migration, undisturbed, provider):
    """The killed run left its bots neither failed nor done."""
    failed_once(migration, provider)
    provider.change(script="stall*", slow_ms=60_000)
    calls = provider.stats()["calls"]
    process = migration.start("--only-failed")
    assert wait_until(lambda: provider.stats()["calls"] > calls, 30)
    assert kill(process.pid)
    process.communicate()

    provider.change(script="")
    migration.apply("--only-failed")
    migration.assert_complete(undisturbed)


def test_a_run_nobody_agreed_to_hides_no_failures(migration, undisturbed, provider):
    failed_once(migration, provider)
    declined = migration.program("apply", "--config", migration.conf, "--exclude", migration.knowledge.bot("Another"))
    assert declined.status == 2
    migration.apply("--only-failed")
    migration.assert_complete(undisturbed)


def test_a_run_of_one_bot_does_not_hide_the_failures_of_others(migration, undisturbed, provider):
    failed_once(migration, provider)
    migration.apply("--bot", undisturbed[0][0])
    migration.apply("--only-failed")
    migration.assert_complete(undisturbed)


def test_the_totals_of_only_failed_are_of_its_bots(migration, library, undisturbed):
    """The run's meter counts what the others cost in earlier shifts, too."""
    path = next(library.documents.glob("*/*/documents/year1.txt"))
    path.rename(path.with_name("away"))
    migration.apply(expect=4)
    before = migration.tokens_billed()
    path.with_name("away").rename(path)
    run = json.loads(migration.apply("--only-failed", "--json").stdout)
    (bot,) = run["bots"]
    assert bot["tokens"] == run["total"]["tokens"] == run["total"]["usd"] == migration.tokens_billed() - before
    assert bot["expected_usd"] == pytest.approx(run["total"]["expected_usd"])
    status = json.loads(migration.program("status", "--json", "--config", migration.conf).stdout)
    assert status["total"] == run["total"]
    whole = json.loads(migration.apply("--json").stdout)
    assert whole["total"]["tokens"] == migration.tokens_billed()


def test_when_all_succeeded_only_failed_says_so(migration, undisturbed):
    migration.apply()
    result = migration.apply("--only-failed")
    assert "no bot is left that did not succeed" in result.stderr
    assert "No bot is left that did not succeed" in migration.plan("--only-failed").stderr
    migration.assert_complete(undisturbed)


# --- a plan from a file ---------------------------------------------------------------------


def test_a_bot_that_vanished_after_the_plan_is_told(migration, undisturbed, library, tmp_path):
    migration.plan("-o", tmp_path / "plan")
    gone = next(item for item in library.items if item["Title"] == {"S": "Pilots"})
    library.items.remove(gone)
    library.save()
    result = migration.apply(tmp_path / "plan", expect=SOME_FAILED)
    assert re.search(r"skipped +\w+ +Pilots .*it is no longer in the catalogue", result.stdout)
    assert len(migration.marks()) == 3


def test_a_plan_of_one_bot_is_about_that_bot_alone(migration, undisturbed, tmp_path):
    bot = undisturbed[0][0]
    migration.plan("--bot", bot, "-o", tmp_path / "plan")
    result = migration.apply(tmp_path / "plan")
    assert "1 of 1 bots" in result.stdout
    assert set(migration.marks()) == {bot}


def test_what_is_chosen_from_a_plan_has_not_vanished(migration, undisturbed, tmp_path):
    bot = undisturbed[0][0]
    migration.plan("-o", tmp_path / "plan")
    result = migration.apply("--bot", bot, tmp_path / "plan")
    assert "1 of 1 bots" in result.stdout


# --- agreement ------------------------------------------------------------------------------


def grow(migration, name):
    path = path_of(migration, name)
    path.write_text(documents.text(list(documents.sentences("grown", 300))))
    later = time.time() + 2
    os.utime(path, (later, later))


def assert_asks(migration):
    calls = migration.calls()
    asked = migration.program("apply", "--config", migration.conf)
    assert asked.status == 2
    assert one_error(asked) == "there is no terminal to ask for agreement at"
    assert migration.calls() == calls


def test_what_grew_after_the_run_is_agreed_to_anew(two_files):
    two_files.apply()
    change(path_of(two_files, "a.txt"))
    assert_asks(two_files)
    grow(two_files, "a.txt")
    assert_asks(two_files)


def test_what_failed_is_agreed_to_anew(two_files, provider):
    failed_once(two_files, provider)
    assert_asks(two_files)


def test_an_interrupted_run_goes_on_without_asking_unless_something_grew(two_files, provider):
    provider.change(script="ok*2,stall*", slow_ms=60_000)
    process = two_files.start()
    assert wait_until(lambda: provider.stats()["calls"] > 2, 30)
    assert kill(process.pid)
    process.communicate()
    provider.change(script="")
    before = path_of(two_files, "a.txt").read_text()
    grow(two_files, "a.txt")
    assert_asks(two_files)

    path_of(two_files, "a.txt").write_text(before)
    two_files.run("apply", "--config", two_files.conf, expect=0)
    two_files.assert_whole()


def test_the_order_in_which_bots_are_named_makes_no_other_run(vecferry, database, knowledge):
    """Another run would have a ledger and a spend cap of its own."""
    migration = Migration(vecferry, database, knowledge)
    bots = [item["SK"]["S"].rsplit("#", 1)[1] for item in knowledge.items[:2]]
    named = [word for bot in bots for word in ("--bot", bot)]
    backwards = [word for bot in bots[::-1] for word in ("--bot", bot)]
    runs = {json.loads(migration.apply("--json", *names).stdout)["run"] for names in (named, backwards, named + backwards)}
    assert len(runs) == 1
    assert json.loads(migration.apply("--json", *named[:2]).stdout)["run"] not in runs


def test_who_failed_is_not_forgotten_by_a_shorter_list(migration, library, tmp_path):
    """One bot tried on its own, by a plan file; then those that are still missing."""
    one = library.items[0]["SK"]["S"].rpartition("#")[2]
    migration.provider.change(script="unauthorized*")
    migration.apply(expect=1)
    migration.provider.change(script="ok*")
    migration.plan("--bot", one, "-o", tmp_path / "plan")
    migration.apply(tmp_path / "plan")
    assert "3 of 3 bots" in migration.apply("--only-failed").stdout
    assert len({bot for bot, *_ in migration.rows()}) == 4


def test_a_list_with_nothing_to_do_renews_no_cap(migration, library, tmp_path):
    del library.items[1:]
    library.save()
    migration.apply()
    migration.plan("-o", tmp_path / "plan")
    paid = migration.tokens_billed()
    text = documents.text(list(documents.sentences("long", 200)))
    library.bot("Long", files={"long.txt": text}, size=(200, 20))
    for _ in range(4):
        migration.apply("--max-usd", 1000, expect=SOME_FAILED)
        migration.apply(tmp_path / "plan", "--max-usd", 1000)
    assert migration.tokens_billed() - paid <= 1000
