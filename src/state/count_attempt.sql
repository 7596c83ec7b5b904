UPDATE bot
SET state = 'launched', attempts = attempts + 1, task = NULL, code = NULL, reason = NULL,
    started = ?3, ended = 0
WHERE user = ?1 AND bot = ?2
