"""A store whose password is in Secrets Manager: read when needed, rotated meanwhile, seen nowhere."""

import re

import pytest
from aws_fixture import aws  # noqa: F401
from conftest import Database
from migration import Migration, one_error
from postgres import Postgres

PASSWORD = "it's a \\ pass/w@rd?"


@pytest.fixture(scope="module")
def guarded():
    """A server that asks for a password."""
    with Postgres(password=PASSWORD) as server:
        yield server


@pytest.fixture
def store(guarded):
    name = guarded.new_database()
    yield Database(guarded, name)
    guarded.drop_database(name)


@pytest.fixture
def login(store):
    return {
        "username": "postgres", "password": PASSWORD, "engine": "postgres", "host": "127.0.0.1",
        "port": store.server.port, "dbname": store.name,
    }  # fmt: skip


@pytest.fixture
def create(vecferry, aws):
    return lambda address, **more: vecferry("store", "create", "--new-store", address, env={**aws.environment(), **more})


def says_database(store):
    return f'database "{store.name}" at 127.0.0.1:{store.server.port}'


def test_a_whole_run_by_name_leaves_the_password_nowhere(vecferry, aws, store, login, library):
    secret = aws.secretsmanager.create_secret("chat/db", login)
    migration = Migration(vecferry, store, library, make_store=False, new_store={"url": f"secret:{secret.name}"})
    made = vecferry("store", "create", "--config", migration.conf, env=aws.environment())
    assert made.status == 0, made.stderr
    assert says_database(store) in made.stdout
    result = migration.apply(env=aws.environment())
    assert len(store.execute("SELECT 1 FROM items")) > 90
    verified = migration.run("verify", "--config", migration.conf, expect=0, env=aws.environment())
    kept = b"".join(path.read_bytes() for path in migration.program.state.rglob("*") if path.is_file())
    assert len(kept) > 1000
    assert PASSWORD.encode() not in kept
    assert PASSWORD not in result.stdout + result.stderr + verified.stdout + verified.stderr
    assert aws.refusals() == []


def test_an_arn_is_asked_for_in_its_own_region(aws, store, login, create):
    secret = aws.secretsmanager.create_secret("db", login)
    made = create(f"secret:{secret.arn}", AWS_REGION="sa-east-1")
    assert made.status == 0, made.stderr
    assert aws.refusals() == []


def test_what_follows_the_name_beats_the_secret(aws, store, login, create):
    """Such as the end of a tunnel."""
    aws.secretsmanager.create_secret("db", {**login, "host": "cluster.example", "port": 1, "dbname": "other"})
    made = create(f"secret:db?host=127%2E0.0.1&port={store.server.port}&dbname={store.name}")
    assert made.status == 0, made.stderr


def test_quotes_stay_what_they_are(aws, store, login, create):
    aws.secretsmanager.create_secret("db", {**login, "dbname": "it's a \\ name"})
    refused = create("secret:db")
    assert refused.status == 1
    assert 'database "it\'s a \\ name" at 127.0.0.1' in one_error(refused)


def test_while_it_is_rotated_the_next_password_is_tried(aws, store, login, create):
    secret = aws.secretsmanager.create_secret("db", {**login, "password": "of yesterday"})
    secret.put(login, "AWSPENDING")
    made = create("secret:db")
    assert made.status == 0, made.stderr
    assert [call.parameters.get("VersionStage") for call in aws.calls("secretsmanager")] == [None, "AWSPENDING"]


def test_a_password_that_is_wrong_in_every_stage_is_one_error(aws, store, login, create):
    secret = aws.secretsmanager.create_secret("db", {**login, "password": "of yesterday"})
    for _ in range(2):
        refused = create("secret:db")
        assert refused.status == 1
        assert "password authentication failed" in one_error(refused)
        assert says_database(store) in one_error(refused)
        assert "of yesterday" not in refused.stderr
        secret.put({**login, "password": "of tomorrow"}, "AWSPENDING")


@pytest.mark.parametrize(
    "address, status, error",
    [
        ("secret:missing", 3, 'could not read the secret "missing": .*ResourceNotFoundException'),
        ("secret:db?port", 2, "the address of the store is not understood"),
        ("secret:db?password=abc", 2, "holds the password already"),
        ("secret:db?user=ben", 2, "holds the user already"),
        ("secret:db?nothing=1", 2, "the connection address is not understood"),
        ("secret:half", 1, "does not hold username and password"),
        ("secret:nowhere", 2, "does not say where the database is"),
        ("secret:", 2, "the address of the store is not understood"),
        ("secret:?host=db", 2, "the address of the store is not understood"),
    ],
)
def test_what_cannot_be_entered_is_one_error(aws, login, create, address, status, error):
    aws.secretsmanager.create_secret("db", login)
    aws.secretsmanager.create_secret("half", {"password": "abc"})
    aws.secretsmanager.create_secret("nowhere", {"username": "ben", "password": "abc"})
    refused = create(address)
    assert refused.status == status, refused.stderr
    assert re.search(error, one_error(refused))


def test_without_permission_the_remedy_is_told(aws, store, login, create):
    aws.secretsmanager.create_secret("db", login)
    aws.deny("secretsmanager", "GetSecretValue")
    refused = create("secret:db")
    assert refused.status == 1
    assert "secretsmanager:GetSecretValue" in refused.stderr


def test_a_copy_is_entered_by_secrets_at_both_ends(guarded, vecferry, aws, store, login):
    source = Database(guarded, guarded.new_database())
    source.execute("CREATE TABLE small AS SELECT i AS id FROM generate_series(1, 1000) AS i")
    store.execute("CREATE TABLE small (id int)")
    aws.secretsmanager.create_secret("old", {**login, "dbname": source.name})
    aws.secretsmanager.create_secret("new", login)
    copied = vecferry("copy", "--source", "secret:old", "--target", "secret:new", "--data-only", env=aws.environment())
    assert copied.status == 0, copied.stderr
    assert store.execute("SELECT count(*) FROM small") == [(1000,)]
    assert PASSWORD not in copied.stdout + copied.stderr
    guarded.drop_database(source.name)
