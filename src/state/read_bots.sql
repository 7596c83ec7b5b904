SELECT user, bot, title, state, evidence, attempts, task, chunks, reused, tokens,
    expected_chunks, code, reason, started, ended
FROM bot
ORDER BY position
