SELECT pg_try_advisory_lock(hashtextextended('vecferry bot ' || $2, $1::bigint))
