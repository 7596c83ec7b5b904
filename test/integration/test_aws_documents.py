"""Uploaded documents read from the application's own bucket in S3."""

import json
import random
from collections import Counter

import pytest
from aws_fixture import aws  # noqa: F401
from cloud import Cloud
from knowledge import BUCKET, Knowledge
from migration import Migration, fill_library, one_error, rows_of

from aws.gate import Identity  # noqa: E402
from aws.mishaps import CutBody, HangUp, Page, Refusal, SlowBody  # noqa: E402

ODD_NAMES = ["a+b =ü#?.txt", "100%.txt", "日本 語.txt", "..txt", "a&b;c'd(e)!*~.txt", "quote\".txt"]


@pytest.fixture
def cloud(aws, library):  # noqa: F811
    return Cloud(aws, library)


@pytest.fixture
def moved(vecferry, database, cloud):
    """The library on its way out of the bucket."""
    return Migration(vecferry, database, cloud.knowledge, **cloud.sections)


@pytest.fixture(scope="module")
def from_folder(server, tmp_path_factory):
    """The rows that the same library leaves behind when its files stand in a folder."""
    from conftest import Database
    from program import Program

    folder = tmp_path_factory.mktemp("from-folder")
    database = Database(server, server.new_database(template="with_vector"))
    migration = Migration(Program(folder / "home"), database, fill_library(Knowledge(folder / "library")))
    migration.apply()
    rows = migration.rows()
    assert len(rows) > 90
    server.drop_database(database.name)
    return rows


def assert_same(migration, rows):
    migration.assert_whole()
    assert Counter(migration.rows()) == Counter(rows)


def sources_of(migration, *options, env=None):
    """(bot, source) → (action, reason, bytes)"""
    plan = json.loads(migration.plan("--json", *options, env=env).stdout)
    return {
        (bot["bot"], source["source"]): (source["action"], source["reason"], source["bytes"])
        for bot in plan["bots"]
        for source in bot["sources"]
    }


def refused(migration, *options, env=None, expect=1):
    result = migration.plan(*options, env=env, expect=expect)
    assert result.stdout == ""
    one_error(result)
    return result.stderr


# --- the same documents ----------------------------------------------------------------------


@pytest.mark.threads
def test_the_bucket_is_planned_as_a_folder_is(aws, moved):  # noqa: F811
    from_bucket = sources_of(moved, env=aws.environment())
    lists = len(aws.calls("s3", "ListObjectsV2"))
    moved.configure()
    assert from_bucket == sources_of(moved)
    assert lists == 4  # one for each bot that has files
    assert len(aws.calls("s3")) == lists
    assert aws.refusals() == []


def test_the_bucket_is_loaded_as_a_folder_is(aws, moved, from_folder):  # noqa: F811
    moved.apply(env=aws.environment())
    assert_same(moved, from_folder)
    assert aws.refusals() == []
    files = sum(len(item["Knowledge"]["M"]["filenames"]["L"]) for item in moved.knowledge.items)
    assert len(aws.calls("s3", "GetObject")) == files
    assert not aws.calls("s3", "HeadObject")


def test_a_source_is_named_as_the_application_names_it(aws, vecferry, database, knowledge):  # noqa: F811
    cloud = Cloud(aws, knowledge)
    conf = knowledge.conf(database.url, **cloud.sections)
    assert vecferry("store", "create", "--new-store", database.url).status == 0
    assert vecferry("apply", "--yes", "--config", conf, env=aws.environment()).status == 0
    keys = {source for _, source, *_ in rows_of(database)}
    assert keys == {f"s3://{BUCKET}/{key}" for key in cloud.bucket.objects}
    verified = vecferry("verify", "--config", conf, env=aws.environment())
    assert verified.status == 0, verified.stdout + verified.stderr


def test_the_files_may_lie_below_a_prefix(aws, vecferry, database, library, from_folder):  # noqa: F811
    cloud = Cloud(aws, library)
    cloud.bucket.objects = {f"saved/2024/{key}": found for key, found in cloud.bucket.objects.items()}
    sections = {"documents": {"folder": f"s3://{BUCKET}/saved/2024"}}
    moved = Migration(vecferry, database, library, **sections)
    moved.apply(env=aws.environment())
    short = [(bot, source.replace("/saved/2024", ""), *rest) for bot, source, *rest in moved.rows()]
    assert Counter(short) == Counter(from_folder)


def test_any_name_is_a_key(aws, vecferry, database, knowledge):  # noqa: F811
    files = {name: f"This is the file number {n}.\n" for n, name in enumerate(ODD_NAMES)}
    knowledge.bot("Oddities", user="odd", files=files)
    cloud = Cloud(aws, knowledge)
    cloud.bucket.page_keys = 2
    moved = Migration(vecferry, database, knowledge, **cloud.sections)
    assert {reason for _, reason, _ in sources_of(moved, env=aws.environment()).values()} == {"no rows in the new store"}
    moved.apply(env=aws.environment())
    moved.assert_whole()
    loaded = {source.rpartition("/")[2]: content for _, source, content, _ in moved.rows()}
    assert {name: loaded[name] + "\n" for name in ODD_NAMES} == files
    assert aws.refusals() == []


@pytest.mark.threads
def test_without_the_right_to_list_each_file_is_asked_for(aws, moved, cloud, from_folder):  # noqa: F811
    cloud.bucket.may_list = False
    lost = moved.knowledge.items[0]["PK"]["S"]
    bot = moved.knowledge.items[0]["SK"]["S"].rpartition("#")[2]
    from_bucket = sources_of(moved, env=aws.environment())
    assert {size for _, _, size in from_bucket.values()} <= {len(found.body) for found in cloud.bucket.objects.values()}
    assert len(aws.calls("s3", "HeadObject")) == len(cloud.bucket.objects)
    moved.apply(env=aws.environment())
    assert_same(moved, from_folder)
    del cloud.bucket.objects[f"{lost}/{bot}/documents/year1.txt"]
    result = moved.plan("--splitter", "latest", env=aws.environment())
    assert "year1.txt: the file is missing, or may not be read (without s3:ListBucket" in result.stdout


# --- what is wrong with a file ---------------------------------------------------------------


def test_missing_archived_forbidden_and_large_files_are_told_apart(aws, vecferry, database, knowledge):  # noqa: F811
    bots = {}
    for title in ("Archived", "Forbidden", "Large", "Lost", "Fine"):
        bots[title] = knowledge.bot(title, user=title, files={f"{title}.txt": f"The {title} file. " * 30})
    cloud = Cloud(aws, knowledge)
    by_name = {key.rpartition("/")[2]: key for key in cloud.bucket.objects}
    del cloud.bucket.objects[by_name["Lost.txt"]]
    cloud.bucket.objects[by_name["Archived.txt"]].archived = True
    cloud.bucket.put(by_name["Large.txt"], b"x" * 1_000_001)
    moved = Migration(vecferry, database, knowledge, **cloud.sections)
    env = aws.environment()
    plan = moved.plan("--max-document-bytes", "1000000", env=env).stdout
    assert "Lost.txt: the file is missing" in plan
    assert "Large.txt: the file has 1000001 bytes, more than the limit of 1000000" in plan
    result = moved.apply("--attempts", "1", "--max-document-bytes", "1000000", env=env, expect=4)
    assert "Archived.txt: the file is archived and must be restored first" in result.stdout.replace('"', "")
    assert {bot for bot, *_ in moved.rows()} >= {bots["Fine"]}
    assert not {bot for bot, *_ in moved.rows()} & {bots["Archived"], bots["Large"], bots["Lost"]}


def test_a_file_that_is_forbidden_may_be_missing_where_lists_are_forbidden(aws, moved, cloud):  # noqa: F811
    cloud.bucket.may_list = False
    aws.mishap("s3", "GetObject", Refusal("AccessDenied", 403, "Access Denied"))
    result = moved.apply("--attempts", "1", env=aws.environment(), expect=4)
    assert result.stdout.count("the file is missing, or may not be read") == 4


def test_a_denied_file_fails_its_bot_alone(aws, moved):  # noqa: F811
    aws.mishap("s3", "GetObject", Refusal("AccessDenied", 403, "Access Denied"), times=1)
    result = moved.apply("--workers", "1", "--attempts", "1", env=aws.environment(), expect=4)
    assert "the file may not be read (s3:GetObject is denied)" in result.stdout
    assert "3 of 4 bots" in result.stdout
    moved.apply(env=aws.environment())
    moved.assert_whole()
    assert len(moved.marks()) == 4


# --- what goes wrong on the way --------------------------------------------------------------


@pytest.fixture
def large(aws, vecferry, database, knowledge):  # noqa: F811
    """A text of three megabytes, which takes several parts."""
    words = random.Random(1)
    lines = (" ".join(f"word{words.randrange(10_000)}" for _ in range(12)) + ".\n" for _ in range(30_000))
    text = "".join(lines)
    assert len(text) > 3_000_000
    bot = knowledge.bot("Novel", user="ann", files={"novel.txt": text}, size=(2000, 0))
    cloud = Cloud(aws, knowledge)
    migration = Migration(vecferry, database, knowledge, **cloud.sections)
    migration.cloud, migration.bot, migration.text = cloud, bot, text
    return migration


def test_a_body_that_is_cut_is_resumed(aws, large):  # noqa: F811
    aws.mishap("s3", "GetObject", CutBody(0.3), times=4, skip=1)
    large.apply("--bot", large.bot, env=aws.environment())
    large.assert_whole()
    ranges = [call.header("Range") for call in aws.calls("s3", "GetObject")]
    assert ranges[:2] == ["bytes=0-1048575", "bytes=1048576-"]
    starts = [int(given.split("=")[1].split("-")[0]) for given in ranges]
    assert len(starts) == 6 and starts == sorted(starts) and len(set(starts[2:])) == 4
    assert all(call.header("If-Match") for call in aws.calls("s3", "GetObject")[1:])
    content = " ".join(row[2] for row in large.rows())
    assert sorted(content.split()) == sorted(large.text.split())


def test_a_file_that_changes_while_it_is_loaded_is_loaded_anew(aws, large):  # noqa: F811
    """Never half of one version and half of another."""
    key = next(key for key in large.cloud.bucket.objects if key.endswith("novel.txt"))
    other = large.text.replace("word", "WORT")
    plain, calls = aws.s3.range, 0

    def then_change(request, size):
        nonlocal calls
        calls += 1
        limits = plain(request, size)
        if calls == 1:
            large.cloud.bucket.put(key, other)
        return limits

    aws.s3.range = then_change
    result = large.apply("--bot", large.bot, env=aws.environment())
    assert "changed while it was loaded" in result.stderr
    large.assert_whole()
    assert not [row for row in large.rows() if "word" in row[2]]


@pytest.mark.parametrize(
    "mishap", [Refusal("SlowDown", 503, "Reduce your request rate"), HangUp(), CutBody(0), SlowBody(pause_s=0.01), Page(502)],
    ids=lambda mishap: type(mishap).__name__,
)  # fmt: skip
def test_what_passes_is_waited_for(aws, moved, from_folder, mishap):  # noqa: F811
    aws.mishap("s3", "*", mishap, fraction=0.3)
    moved.apply(env=aws.environment())
    assert_same(moved, from_folder)


@pytest.mark.parametrize("redirect", [400, 301, 307])
def test_a_bucket_in_another_region_is_found(aws, vecferry, database, library, from_folder, redirect):  # noqa: F811
    cloud = Cloud(aws, library, bucket_region="ap-northeast-1")
    cloud.bucket.redirect = redirect
    moved = Migration(vecferry, database, library, **cloud.sections)
    moved.apply(env=aws.environment())
    assert_same(moved, from_folder)


def test_a_missing_bucket_is_one_error(aws, moved):  # noqa: F811
    error = refused(moved, "--documents", "s3://nothing-here", env=aws.environment(), expect=2)
    assert 'there is no bucket "nothing-here"' in error and "DocumentBucketName" in error
    assert error.count("nothing-here") < 3
    assert "s3://BUCKET" in refused(moved, "--documents", "s3://", env=aws.environment(), expect=2)


def test_no_credentials_are_one_error(aws, moved):  # noqa: F811
    moved.configure(documents={"folder": f"s3://{BUCKET}"})  # the catalogue is a file
    env = aws.environment()
    del env["AWS_ACCESS_KEY_ID"], env["AWS_SECRET_ACCESS_KEY"]
    error = refused(moved, env=env)
    assert "could not look at the documents" in error and len(error.splitlines()) >= 2
    assert aws.calls() == []


def test_wrong_keys_are_one_error(aws, moved):  # noqa: F811
    moved.configure(documents={"folder": f"s3://{BUCKET}"})
    stranger = Identity("AKIASTRANGER00000001", "a/secret+that=nobody+knows/0123456789abc")
    error = refused(moved, env=aws.environment(stranger))
    assert "InvalidAccessKeyId" in error and "log in again" in error
    wrong = aws.environment() | {"AWS_SECRET_ACCESS_KEY": stranger.secret}
    error = refused(moved, env=wrong)
    assert "SignatureDoesNotMatch" in error and stranger.secret not in error


def test_a_proxys_page_is_one_error(aws, moved):  # noqa: F811
    moved.configure(documents={"folder": f"s3://{BUCKET}"})
    aws.mishap("s3", "*", Page(403))
    error = refused(moved, env=aws.environment())
    assert "is not one of AWS" in error and "proxy" in error


def test_a_clock_that_is_an_hour_off_is_mended(aws, moved, from_folder):  # noqa: F811
    aws.clock_offset = 3600
    moved.apply(env=aws.environment())
    assert_same(moved, from_folder)


def test_killed_and_run_again_the_store_is_the_same(aws, moved, from_folder):  # noqa: F811
    env = aws.environment()
    moved.apply(env=env | {"VECFERRY_FAULT": "after-launch:2"}, expect=-9)
    moved.apply(env=env | {"VECFERRY_FAULT": "before-ledger-done:2"}, expect=-9)
    moved.apply(env=env)
    assert_same(moved, from_folder)
    assert aws.refusals() == []
