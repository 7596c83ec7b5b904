-- Good rows of these sources of a bot, each as the transaction beside it wrote them.
SELECT count(*)
FROM {table} JOIN unnest($2::text[], $3::text[]) AS kept (label, xid) ON {source}::text = kept.label
WHERE {bot} = $1 AND {table}.xmin::text = kept.xid AND {text} IS NOT NULL AND {vector} IS NOT NULL
