-- The table's columns: name, type, whether text-like, whether a row can do without it.
SELECT a.attname, format_type(a.atttypid, a.atttypmod), t.typcategory = 'S',
       NOT a.attnotnull OR a.atthasdef OR a.attidentity <> '' OR a.attgenerated <> ''
FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
WHERE a.attrelid = $1::oid AND a.attnum > 0 AND NOT a.attisdropped
