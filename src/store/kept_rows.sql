-- Good rows of these sources of a bot.
SELECT count(*) FROM {table}
WHERE {bot} = $1 AND {source}::text = ANY ($2::text[]) AND {text} IS NOT NULL AND {vector} IS NOT NULL
