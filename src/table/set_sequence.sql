-- Sets the target's sequence: that of the column $3 of the table $2, else the one named $4 in schema
-- $1.  No row when there is none; $7 leaves alone one that is further already ($8: it counts up).
WITH named AS (
    SELECT c.oid FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind = 'S' AND n.nspname = $1 AND c.relname = $4
), owned AS (
    SELECT d.objid AS oid
    FROM pg_depend d
    JOIN pg_class s ON s.oid = d.objid AND s.relkind = 'S'
    JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
    WHERE d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass
      AND d.deptype IN ('a', 'i') AND d.refobjid = to_regclass($2) AND a.attname = $3
), chosen AS (
    SELECT oid FROM owned UNION ALL SELECT oid FROM named WHERE NOT EXISTS (SELECT FROM owned) LIMIT 1
)
SELECT CASE WHEN $7::bool AND pg_sequence_last_value(oid) IS NOT NULL
                 AND (NOT $6::bool OR (pg_sequence_last_value(oid) >= $5::bigint) = $8::bool)
            THEN NULL ELSE setval(oid::regclass, $5::bigint, $6::bool) END
FROM chosen
