-- The bot's new rows, from what is staged of the named sources.
INSERT INTO {table} ({columns})
SELECT {values}
FROM vecferry.staged s
WHERE s.target = $1::oid AND s.bot = $2 AND s.space = $3 AND s.source = ANY ($4::text[])
ORDER BY array_position($4::text[], s.source), s.number
