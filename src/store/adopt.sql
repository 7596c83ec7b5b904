-- The mark of another worker that did the same work since our plan was made becomes ours, if the
-- rows that it counted are still there.
UPDATE vecferry.mark SET worker = $3
WHERE target = $1::oid AND bot = $2 AND space = $4 AND splitter = $5 AND fingerprint = $6
  AND complete AND (extract(epoch FROM marked) * 1000)::bigint > $7::bigint
  AND rows = (SELECT count(*) FROM {table} WHERE {bot} = $8)
