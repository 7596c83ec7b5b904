SELECT id, kind, store, embedder, state, expected_usd, usd_per_token, created, ended,
    (SELECT coalesce(sum(seen - began), 0)
FROM shift), stop,
    (SELECT coalesce(sum(tokens), 0)
FROM bot
WHERE position IS NULL),
    (SELECT coalesce(sum(expected_usd), 0)
FROM bot
WHERE position IS NULL AND expected_usd > 0),
    (SELECT coalesce(sum(expected_usd), 0)
FROM bot
WHERE position IS NOT NULL AND expected_usd > 0)
FROM run
