"""ask: a question, by the application's own query."""

import json
import pathlib
import re
import sys

import pytest
from filled_store import TALES, FilledStore

sys.path.insert(0, str(pathlib.Path(__file__).parent / "servers"))

from provider import Provider, expected_vector  # noqa: E402

KEY = "sk-kept-to-ourselves"
NOTE = "note: hashed vectors find words, not meaning\n"


@pytest.fixture
def store(vecferry, database, knowledge):
    return FilledStore(vecferry, database, knowledge).fill()


def ask(store, bot, *arguments):
    return store.vecferry("ask", "--config", store.conf, "--bot", bot, *arguments)


def answers(store, bot, *arguments):
    status, stdout, stderr = ask(store, bot, "--json", *arguments)
    assert status == 0, stderr
    return json.loads(stdout)["answers"]


# --- what is answered ---------------------------------------------------------------------


def test_the_chunk_with_the_words_of_the_question_comes_first(store):
    found = answers(store, store.harbour, "When does the ferry leave, and how many cars does it carry?")
    assert [(answer["rank"], answer["source"].rpartition("/")[2]) for answer in found] == [
        (1, "ferries.txt"), (2, "tides.md"),
    ]  # fmt: skip
    assert found[0]["text"].startswith("The ferry leaves at seven.")
    assert 0 < found[0]["distance"] < found[1]["distance"]

    found = answers(store, store.harbour, "high water comes twice a day")
    assert found[0]["source"] == store.label("Harbour", "tides.md")


def test_only_the_chunks_of_the_bot_answer(store):
    found = answers(store, store.lighthouse, "When does the ferry leave?")
    assert [answer["source"] for answer in found] == [store.label("Lighthouse", "keeper.txt")]


def test_people_see_the_best_five_with_distance_and_source(store):
    status, stdout, stderr = ask(store, store.tales, "the sailor who counted to 42")
    assert (status, stderr) == (0, NOTE)
    entries = re.findall(r"^(\d)\. (\d\.\d{4})  (.*)\n   (.*)\n\n", stdout, re.MULTILINE)
    assert [entry[0] for entry in entries] == ["1", "2", "3", "4", "5"]
    assert [entry[1] for entry in entries] == sorted(entry[1] for entry in entries)
    assert "counted to 42 " in entries[0][3]
    assert entries[0][2] == store.label("Tales", "tales.txt")
    assert stdout.endswith(
        f"The nearest 5 of the {store.rows(store.tales)} chunks that bot {store.tales} has in "
        f'database "{store.database.name}" at 127.0.0.1:{store.database.server.port}.\n'
    )


def test_a_long_text_is_shortened_to_the_width_of_the_terminal(store):
    store.execute("UPDATE items SET content = %s WHERE botid = %s", "日本" * 500, store.lighthouse)
    line = ask(store, store.lighthouse, "lamp").stdout.splitlines()[1]
    assert line.startswith("   日本日本")
    assert line.endswith("…")
    assert 2 * len(line) - 4 in (79, 80)


def test_full_shows_the_whole_text_line_by_line(store):
    store.execute(
        "UPDATE items SET content = E'first line\\n' || %s || E'\\x1b[2J\\nlast line' WHERE botid = %s",
        TALES, store.lighthouse,
    )  # fmt: skip
    _, stdout, _ = ask(store, store.lighthouse, "--full", "lamp")
    lines = stdout.splitlines()
    assert lines[1] == "   first line"
    assert TALES in lines[2]
    assert lines[3] == "   last line"
    assert "\x1b" not in stdout


def test_words_that_were_not_quoted_are_one_question(store):
    quoted = answers(store, store.harbour, "high water comes twice")
    assert answers(store, store.harbour, "high", "water", "comes", "twice") == quoted


def test_the_limit_is_the_users(store):
    assert len(answers(store, store.tales, "--limit", "1", "storm")) == 1
    assert len(answers(store, store.tales, "--limit", "100", "storm")) == store.rows(store.tales)


def test_json_says_what_was_asked_and_compared(store):
    status, stdout, _ = ask(store, store.harbour, "--json", "--limit", "1", "ferry")
    said = json.loads(stdout)
    assert status == 0
    assert len(said.pop("answers")) == 1
    assert said == {
        "bot": store.harbour,
        "question": "ferry",
        "store": f'database "{store.database.name}" at 127.0.0.1:{store.database.server.port}',
        "space": "hashing/words-and-trigrams-1/1024",
        "rows_space": "hashing/words-and-trigrams-1/1024",
        "rows": 2,
        "tokens": 0,
        "limit": 1,
    }


def test_a_chunk_without_vector_comes_last_and_has_no_distance(store):
    store.execute("UPDATE items SET embedding = NULL WHERE source LIKE '%%ferries.txt'")
    found = answers(store, store.harbour, "When does the ferry leave?")
    assert [answer["distance"] is None for answer in found] == [False, True]
    assert "\n2. no distance  " in ask(store, store.harbour, "ferry").stdout


@pytest.mark.parametrize(("distance", "operator"), [("l2", "<->"), ("cosine", "<=>"), ("ip", "<#>")])
def test_the_distance_is_the_applications(store, distance, operator):
    # The question is a chunk's own text, so that its vector stands in the table.
    text = "The ferry leaves at seven. It carries forty cars and takes two hours."
    assert store.execute("SELECT count(*) FROM items WHERE content = %s", text) == [(1,)]
    expected = store.execute(
        f"SELECT a.embedding {operator} b.embedding FROM items a, items b WHERE b.content = %s AND a.botid = %s ORDER BY 1",
        text, store.harbour,
    )  # fmt: skip
    found = answers(store, store.harbour, "--distance", distance, text)
    assert [answer["distance"] for answer in found] == pytest.approx([row[0] for row in expected], abs=1e-6)


@pytest.mark.parametrize("type", ["vector(1024)", "halfvec(1024)", "halfvec"])
def test_any_table_can_be_asked(vecferry, database, knowledge, type):
    database.execute(f"CREATE TABLE pieces (number serial PRIMARY KEY, owner text, origin text, body text, v {type})")
    mapping = {
        "table": "pieces", "id-column": "", "bot-column": "owner", "source-column": "origin", "text-column": "body",
        "vector-column": "v",
    }  # fmt: skip
    store = FilledStore(vecferry, database, knowledge, new_store=mapping).apply()
    assert answers(store, store.harbour, "forty cars")[0]["source"].endswith("ferries.txt")


def test_a_role_that_may_only_read_can_ask(store):
    name = f"reader_{store.database.name}"
    url = store.database.url.replace("//postgres@", f"//{name}@")
    store.execute(f"CREATE ROLE {name} LOGIN")
    try:
        status, _, stderr = ask(store, store.harbour, "--new-store", url, "ferry")
        assert status == 1
        assert f'may not read public.items in database "{store.database.name}"' in stderr
        store.execute(f"GRANT SELECT ON items TO {name}")
        assert "permission denied for schema vecferry" in ask(store, store.harbour, "--new-store", url, "ferry").stderr
        assert len(answers(store, store.harbour, "--new-store", url, "--force", "ferry")) == 2
    finally:
        store.execute(f"DROP OWNED BY {name}")
        store.execute(f"DROP ROLE {name}")


# --- a real provider's protocol -----------------------------------------------------------


@pytest.fixture
def provider():
    with Provider(key=KEY, dims=64) as running:
        yield running


@pytest.fixture
def small(vecferry, database, knowledge, provider):
    """A store whose vectors come from the provider, of a length that only the provider knows."""
    embedder = {"kind": "openai", "endpoint": provider.base_url, "model": "test-embedding"}
    key = knowledge.folder / "key"
    key.write_text(KEY)
    return FilledStore(vecferry, database, knowledge, embedder={**embedder, "api-key-file": key}).fill(64)


def test_the_question_is_embedded_once_as_a_query(small, provider):
    before = provider.stats()["calls"]
    status, stdout, stderr = ask(small, small.harbour, "--json", "--query-prefix", "query: ", "a ferry")
    assert (status, stderr) == (0, "")
    said = json.loads(stdout)
    assert said["tokens"] > 0
    # The first call asks for the length of the model's vectors.
    assert provider.stats()["calls"] == before + 2
    # The distance is that of the vector of "query: a ferry".
    question = "[" + ",".join(map(str, expected_vector("query: a ferry", 64))) + "]"
    expected = small.execute("SELECT embedding <-> %s FROM items WHERE botid = %s ORDER BY 1", question, small.harbour)
    assert [a["distance"] for a in said["answers"]] == pytest.approx([row[0] for row in expected], rel=1e-6)


def test_a_throttled_question_is_asked_again(small, provider):
    provider.change(script="ok,throttle*2,ok", retry_after_s=0.05)
    assert len(answers(small, small.harbour, "a ferry")) == 2


def test_a_wrong_key_is_told_at_once(small, provider):
    calls = provider.stats()["calls"]
    provider.change(script="ok,unauthorized*9")
    status, stdout, stderr = ask(small, small.harbour, "a ferry")
    assert (status, stdout) == (1, "")
    assert stderr.startswith("vecferry: could not embed the question: ")
    assert provider.stats()["calls"] == calls + 2


# --- what cannot be asked -----------------------------------------------------------------


def test_a_bot_that_the_store_does_not_know_has_a_nearest(store):
    wrong = store.harbour[:-1] + ("0" if store.harbour[-1] != "0" else "1")
    status, stdout, stderr = ask(store, wrong, "ferry")
    assert (status, stdout) == (1, "")
    assert stderr == (
        f'vecferry: bot "{wrong}" has no rows in database "{store.database.name}" at 127.0.0.1:'
        f'{store.database.server.port}\nhint: the nearest bot there is "{store.harbour}"; `vecferry plan` shows what '
        "is missing, `vecferry apply` loads it\n"
    )


def test_an_empty_store_has_no_nearest_bot(store):
    store.execute("TRUNCATE items")
    status, _, stderr = ask(store, store.harbour, "ferry")
    assert status == 1
    assert "\nhint: `vecferry plan` shows what is missing" in stderr


def test_rows_of_another_space_are_not_asked(store):
    store.execute("UPDATE vecferry.mark SET space = 'openai/other/1024'")
    status, stdout, stderr = ask(store, store.harbour, "ferry")
    difference = (
        f'the vectors of bot "{store.harbour}" are of the space openai/other/1024, the question\'s of '
        "hashing/words-and-trigrams-1/1024"
    )
    assert (status, stdout) == (3, "")
    assert stderr.startswith(f"vecferry: {difference}\nhint: the distances would mean nothing: ")

    status, stdout, stderr = ask(store, store.harbour, "--force", "--json", "ferry")
    assert (status, stderr) == (0, f"note: {difference}\n{NOTE}")
    assert json.loads(stdout)["rows_space"] == "openai/other/1024"


def test_rows_that_somebody_else_made_can_be_asked(store):
    store.forget_marks()
    status, stdout, _ = ask(store, store.harbour, "--json", "ferry")
    assert status == 0
    assert json.loads(stdout)["rows_space"] is None


def test_a_model_of_other_dimensions_is_refused_before_it_is_paid(small, provider):
    calls = provider.stats()["calls"]
    status, _, stderr = ask(small, small.harbour, "--dimensions", "32", "ferry")
    assert status == 3
    assert 'column "embedding" of public.items takes vectors of 64 dimensions, the model makes 32' in stderr
    assert provider.stats()["calls"] == calls


def test_vectors_of_other_dimensions_are_refused_where_the_column_takes_any(vecferry, database, knowledge):
    database.execute("CREATE TABLE items (id text, botid text, content text, source text, embedding vector)")
    store = FilledStore(vecferry, database, knowledge).apply()
    status, _, stderr = ask(store, store.harbour, "--dimensions", "64", "ferry")
    assert status == 3
    assert "public.items holds vectors of 1024 dimensions, the model makes 64" in stderr


def test_an_unknown_bot_costs_nothing(small, provider):
    """Not even the question how long the model's vectors are."""
    calls = provider.stats()["calls"]
    assert ask(small, "NOBODY", "ferry").status == 1
    assert provider.stats()["calls"] == calls


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["ferry"], "--bot is missing: whose knowledge is asked"),
        (["--bot", "X"], "the question is missing"),
        (["--bot", "X", "  "], "the question is missing"),
        (["--bot", "X", "--limit", "0", "ferry"], "--limit should be 1 to 10000"),
        (["--bot", "X", "--embedder", "cohere", "ferry"], "--embedder"),
    ],
)
def test_wrong_usage_is_told(store, arguments, message):
    status, stdout, stderr = store.vecferry("ask", "--config", store.conf, *arguments)
    assert (status, stdout) == (2, "")
    assert message in stderr


def test_a_missing_table_is_told(store):
    status, _, stderr = ask(store, store.harbour, "--table", "nothing", "ferry")
    assert status == 3
    assert 'has no table "nothing"' in stderr
