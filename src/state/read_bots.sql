SELECT user, bot, title, state, evidence, attempts, task, chunks, reused, tokens,
    expected_chunks, expected_usd, code, reason, started, ended
FROM bot
WHERE ?1 OR position IS NOT NULL
ORDER BY position
