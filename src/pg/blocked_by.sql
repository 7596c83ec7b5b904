-- What the session waits for, and who has it.  No row: it waits for nobody.
SELECT coalesce(
           (SELECT relation::regclass::text FROM pg_locks WHERE pid = $1 AND NOT granted LIMIT 1),
           ''),
       blocker.pid,
       coalesce(nullif(activity.application_name, ''), activity.usename::text, '')
FROM unnest(pg_blocking_pids($1)) AS blocker (pid)
LEFT JOIN pg_stat_activity activity ON activity.pid = blocker.pid
ORDER BY blocker.pid
LIMIT 1
