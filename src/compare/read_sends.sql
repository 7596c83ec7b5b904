-- The functions that make the binary form of each column of the tables $1 (oids).
SELECT a.attrelid, a.attnum, quote_ident(n.nspname) || '.' || quote_ident(p.proname)
FROM pg_attribute a
JOIN pg_type t ON t.oid = a.atttypid
JOIN pg_proc p ON p.oid = t.typsend
JOIN pg_namespace n ON n.oid = p.pronamespace
WHERE a.attrelid = ANY ($1::oid[]) AND a.attnum > 0 AND NOT a.attisdropped
