UPDATE bot
SET state = ?3, evidence = ?4, chunks = ?5, reused = ?6, tokens = ?7, code = ?8, reason = ?9,
    started = ?10, ended = ?11
WHERE user = ?1 AND bot = ?2
