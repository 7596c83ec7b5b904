"""
conftest.py - what every integration test may ask for.

    server      one PostgreSQL with pgvector, for the whole test run
    database    an empty database with the extension vector: .name .url .connect() .execute()
    other_server, other_database   the same again, on another server
    copying     `vecferry copy` from the one to the other (copying.py)
    vecferry    runs the program: vecferry("plan", "--config", conf) → (status, stdout, stderr)
    knowledge   a small catalogue with its documents, to which a test adds bots
    library     a larger one: four bots, a hundred chunks in five formats
    provider    a scripted provider of embeddings that does as it should
    migration   the library on its way into an empty store by that provider (migration.py)
    undisturbed the rows that a migration leaves behind when nothing goes wrong
    seed        the number that random tests begin with (SEED, or --seed)
"""

import contextlib
import os
import random
import signal

import pytest

import migration as migrations
from copying import Copying
from knowledge import Knowledge
from postgres import Postgres
from program import Program, raise_sanitizer_reports, use_sanitizer_logs_of


def pytest_addoption(parser):
    parser.addoption("--seed", type=int, default=None, help="begin random tests with this number")


def pytest_configure(config):
    # Ending the run by a signal tidies up as Ctrl-C does; what a SIGKILL leaves running
    # dies by its death signal.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    config.seed = config.getoption("--seed")
    if config.seed is None:
        config.seed = int(os.environ.get("SEED") or random.SystemRandom().randrange(1_000_000))
    # Processes that share the work begin with the same number, and keep their reports apart.
    os.environ["SEED"] = str(config.seed)
    if "PYTEST_XDIST_WORKER" in os.environ:
        use_sanitizer_logs_of(os.environ["PYTEST_XDIST_WORKER"])


def pytest_report_header(config):
    return f"seed: {config.seed}"


class Database:
    """One database of a server."""

    def __init__(self, server, name):
        self.server = server
        self.name = name

    @property
    def url(self):
        return self.server.url(self.name)

    def connect(self):
        """A psycopg2 connection in autocommit mode."""
        return self.server.connect(self.name)

    def execute(self, sql, parameters=None):
        """Sends one statement; its rows, if it has any."""
        return self.server.execute(sql, parameters, database=self.name)


@pytest.fixture(scope="session")
def server():
    with Postgres() as server:
        server.new_database("with_vector")
        yield server


def new_database(server):
    name = server.new_database(template="with_vector")
    yield Database(server, name)
    # A test that killed the server for good has nothing to drop.
    with contextlib.suppress(Exception):
        server.drop_database(name)


@pytest.fixture
def database(server):
    yield from new_database(server)


@pytest.fixture(scope="session")
def other_server():
    with Postgres() as server:
        server.new_database("with_vector")
        yield server


@pytest.fixture
def other_database(other_server):
    yield from new_database(other_server)


@pytest.fixture
def copying(vecferry, database, other_database):
    return Copying(vecferry, database, other_database)


@pytest.fixture
def vecferry(tmp_path):
    program = Program(tmp_path / "home")
    yield program
    program.end()


@pytest.fixture
def knowledge(tmp_path):
    knowledge = Knowledge(tmp_path / "knowledge")
    knowledge.bot(
        "Harbour",
        files={
            "ferries.txt": "The ferry leaves at seven. It carries forty cars and takes two hours.\n",
            "tides.md": "# Tides\n\nHigh water comes twice a day, and about fifty minutes later each day.\n",
        },
    )
    knowledge.bot(
        "Lighthouse", user="ben",
        files={"keeper.txt": "The keeper lights the lamp at dusk and writes down every ship that passes.\n"},
    )  # fmt: skip
    knowledge.bot("Small talk", user="ben")
    return knowledge


@pytest.fixture
def library(tmp_path):
    return migrations.fill_library(Knowledge(tmp_path / "library"))


@pytest.fixture
def provider():
    provider = migrations.provider_server.Provider(key=migrations.KEY, dims=migrations.DIMENSIONS).start()
    yield provider
    # A test that killed it has nothing to stop.
    if not provider.stopping.is_set():
        provider.stop()


@pytest.fixture
def migration(vecferry, database, library, provider):
    migration = migrations.Migration(vecferry, database, library, provider)
    yield migration
    if len(migration.providers) > 1:
        migration.provider.stop()
    assert [error for server in migration.providers for error in server.errors] == []


@pytest.fixture(scope="session")
def undisturbed(server, tmp_path_factory):
    folder = tmp_path_factory.mktemp("undisturbed")
    database = Database(server, server.new_database(template="with_vector"))
    program = Program(folder / "home")
    knowledge = migrations.fill_library(Knowledge(folder / "library"))
    with migrations.provider_server.Provider(key=migrations.KEY, dims=migrations.DIMENSIONS) as provider:
        migration = migrations.Migration(program, database, knowledge, provider)
        migration.apply()
    rows = migration.rows()
    assert len(rows) > 90
    migration.assert_whole(rows)
    server.drop_database(database.name)
    return rows


@pytest.fixture
def seed(request):
    return request.config.seed


@pytest.fixture(autouse=True)
def no_sanitizer_reports():
    yield
    raise_sanitizer_reports()
