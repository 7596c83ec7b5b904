-- Sources whose rows stand as the bot's mark counted them and as the transaction of their loading wrote
-- them, the hash of the text that they were cut from, and that transaction.
SELECT marked.source, marked.text, marked.chunks, marked.xid
FROM (SELECT entry->>'source' AS source, min(entry->>'text') AS text,
             sum((entry->>'chunks')::bigint) AS chunks, min(entry->>'xid') AS xid
      FROM vecferry.mark m, jsonb_array_elements(m.outcome) AS entry
      WHERE m.target = $1::oid AND m.bot = $2 AND m.space = $3 AND m.splitter = $4
        AND m.fingerprint = $5
      GROUP BY 1
      HAVING count(*) = 1 AND count(entry->>'text') = 1 AND count(entry->>'xid') = 1
         AND count(entry->>'reason') = 0) marked
JOIN (SELECT {source}::text AS source, count(*) AS chunks,
             count(*) FILTER (WHERE {text} IS NULL OR {vector} IS NULL) AS bad,
             min(xmin::text) AS first, max(xmin::text) AS last
      FROM {table} WHERE {bot} = $6 GROUP BY 1) there
  ON there.source = marked.source AND there.chunks = marked.chunks AND there.bad = 0
    AND there.first = marked.xid AND there.last = marked.xid
