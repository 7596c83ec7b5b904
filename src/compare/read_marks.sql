-- Our marks, with a row for each source that the mark tells of.
SELECT m.bot, m.run, m.space, m.splitter, m.fingerprint, m.rows, m.complete,
       (extract(epoch FROM m.marked) * 1000)::bigint,
       o.source, o.chunks, o.reason
FROM vecferry.mark m
LEFT JOIN LATERAL jsonb_to_recordset(m.outcome) AS o (source text, chunks bigint, reason text) ON true
WHERE m.target = $1::oid AND ($2::text[] IS NULL OR m.bot = ANY ($2::text[]))
