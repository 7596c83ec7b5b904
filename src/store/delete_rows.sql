-- The bot's old rows, but for those of the sources that failed: these stay, if they are of our space.
DELETE FROM {table} t
WHERE t.{bot} = $1
  AND ((t.{source}::text = ANY ($2::text[])) IS NOT TRUE
       OR EXISTS (SELECT FROM vecferry.mark m
                   WHERE m.target = $3::oid AND m.bot = $4 AND m.space <> $5))
