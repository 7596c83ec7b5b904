-- The sequences of the tables $1 (oids; NULL: all), with the column that owns them if there is one.
SELECT quote_ident(n.nspname) || '.' || quote_ident(c.relname), n.nspname, c.relname,
       owner_of.table_name, owner_of.column_name, s.seqincrement > 0
FROM pg_sequence s
JOIN pg_class c ON c.oid = s.seqrelid
JOIN pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN LATERAL (
    SELECT t.oid, quote_ident(tn.nspname) || '.' || quote_ident(t.relname) AS table_name,
           a.attname AS column_name
    FROM pg_depend d
    JOIN pg_class t ON t.oid = d.refobjid
    JOIN pg_namespace tn ON tn.oid = t.relnamespace
    JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = d.refobjsubid
    WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype IN ('a', 'i')
      AND d.refclassid = 'pg_class'::regclass
    LIMIT 1
) AS owner_of ON true
WHERE c.relpersistence <> 't' AND n.nspname <> 'vecferry'
  AND NOT EXISTS (SELECT FROM pg_depend d
                  WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid
                    AND d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e')
  AND ($1::oid[] IS NULL
       OR EXISTS (SELECT FROM unnest($1::oid[]) AS wanted (oid)
                  CROSS JOIN LATERAL pg_partition_ancestors(wanted.oid) AS above
                  WHERE above.relid = owner_of.oid)
       OR owner_of.oid = ANY ($1::oid[])
       OR EXISTS (SELECT FROM pg_attrdef ad
                  JOIN pg_depend d ON d.classid = 'pg_attrdef'::regclass AND d.objid = ad.oid
                                  AND d.refclassid = 'pg_class'::regclass AND d.refobjid = c.oid
                  WHERE ad.adrelid = ANY ($1::oid[])))
ORDER BY n.nspname COLLATE "C", c.relname COLLATE "C"
