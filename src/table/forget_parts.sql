-- Forgets the parts of a table that these transactions wrote.
DELETE FROM vecferry.copied_part
WHERE run = $1 AND target = $2 AND (xid & 4294967295)::text = ANY ($3::text[])
