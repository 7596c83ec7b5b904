INSERT INTO run (id, kind, store, embedder, state, expected_usd, usd_per_token, created, ended)
VALUES (?1, ?2, ?3, ?4, 'running', ?5, ?6, ?7, 0)
ON CONFLICT (id) DO UPDATE
SET state = 'running', stop = NULL, ended = 0, store = excluded.store, embedder = excluded.embedder,
    expected_usd = max(expected_usd, excluded.expected_usd), usd_per_token = excluded.usd_per_token
