"""
one_at_a_time.py - embeds as the guide's container does, to compare with.

Ten texts in a call, the next call when the last one was answered; at the end one
transaction deletes the bot's rows and inserts the new ones, row by row.
"""

import http.client
import json

from guide_container import Pauses, Row, replace_rows_once

TEXTS_IN_A_CALL = 10


def embed(port, model, texts):
    """The vectors of all texts."""
    connection = http.client.HTTPConnection("127.0.0.1", port)
    vectors = []
    for first in range(0, len(texts), TEXTS_IN_A_CALL):
        body = json.dumps({"model": model, "input": texts[first : first + TEXTS_IN_A_CALL]})
        connection.request("POST", "/v1/embeddings", body, {"Content-Type": "application/json"})
        answer = json.load(connection.getresponse())
        vectors += [item["embedding"] for item in sorted(answer["data"], key=lambda item: item["index"])]
    connection.close()
    return vectors


def load_bot(port, model, dsn, bot, texts):
    vectors = embed(port, model, texts)
    rows = [Row(text, "s3://bucket/file.txt", vector) for text, vector in zip(texts, vectors)]
    replace_rows_once(dsn, bot, rows, Pauses(), lambda step: None)
