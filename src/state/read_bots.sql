SELECT user, bot, title, state, evidence, attempts, task, chunks, reused, tokens,
    expected_chunks, expected_usd, code, reason, started, ended
FROM bot
WHERE position IS NOT NULL
ORDER BY position
