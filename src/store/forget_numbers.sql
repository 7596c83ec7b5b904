-- Staged rows of these numbers no longer fit: they make room.
DELETE FROM vecferry.staged s USING unnest($4::bytea[], $5::int[]) AS b (label, number)
WHERE s.target = $1::oid AND s.bot = $2 AND s.space = $3
  AND s.source_hash = b.label AND s.number = b.number
