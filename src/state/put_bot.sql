INSERT INTO bot (user, bot, position, title, state, evidence, expected_chunks, expected_usd, code,
    reason, chunks)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)
ON CONFLICT (user, bot) DO UPDATE
SET position = excluded.position, title = excluded.title, state = excluded.state,
    evidence = excluded.evidence, expected_chunks = max(expected_chunks,
    excluded.expected_chunks), expected_usd = max(expected_usd, excluded.expected_usd),
    code = excluded.code, reason = excluded.reason, chunks = excluded.chunks,
    reused = iif(excluded.state = 'pending', 0, reused)
