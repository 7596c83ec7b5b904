-- What the announced part came to; commits with its rows.
UPDATE vecferry.copied_part SET rows = $4, bytes = $5, fingerprint = $6, marked = clock_timestamp()
WHERE run = $1 AND target = $2 AND first_block = $3
