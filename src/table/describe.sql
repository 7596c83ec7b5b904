-- Tables with rows, one row each.  Regular expressions: $1 and $2 schemas and names of wanted
-- tables, $3 wanted schemas, $4 and $5 schemas and names of excluded tables.
SELECT c.oid, n.nspname, c.relname, quote_ident(n.nspname) || '.' || quote_ident(c.relname),
       c.relfilenode, c.relpersistence, c.relispartition, c.reltuples,
       pg_relation_size(c.oid) / current_setting('block_size')::bigint, pg_table_size(c.oid)
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
CROSS JOIN LATERAL (
    SELECT bool_or(EXISTS (SELECT FROM unnest($1::text[], $2::text[]) AS p (schema, name)
                           WHERE an.nspname ~ p.schema AND a.relname ~ p.name)) AS by_table,
           bool_or(EXISTS (SELECT FROM unnest($4::text[], $5::text[]) AS p (schema, name)
                           WHERE an.nspname ~ p.schema AND a.relname ~ p.name)) AS excluded
    FROM (SELECT c.oid UNION SELECT relid FROM pg_partition_ancestors(c.oid)) AS itself (oid)
    JOIN pg_class a ON a.oid = itself.oid
    JOIN pg_namespace an ON an.oid = a.relnamespace
) AS matched
WHERE c.relkind = 'r' AND c.relpersistence IN ('p', 'u')
  AND n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', 'vecferry')
  AND NOT EXISTS (SELECT FROM pg_depend d
                  WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid
                    AND d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e')
  AND ((cardinality($1::text[]) = 0 AND cardinality($3::text[]) = 0) OR matched.by_table
       OR n.nspname ~ ANY ($3::text[]))
  AND NOT matched.excluded
ORDER BY n.nspname COLLATE "C", c.relname COLLATE "C"
