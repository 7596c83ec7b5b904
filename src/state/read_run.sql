SELECT id, kind, store, embedder, state, expected_usd, created, ended,
    (SELECT coalesce(sum(seen - began), 0)
FROM shift)
FROM run
