SELECT id, kind, store, embedder, state, expected_usd, usd_per_token, created, ended,
    (SELECT coalesce(sum(seen - began), 0)
FROM shift), stop
FROM run
