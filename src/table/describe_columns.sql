-- The columns of the tables $1 (oids), with what their types are made of.
WITH RECURSIVE of_table AS (
    SELECT a.attrelid, a.attnum, a.attname, a.atttypid, a.atttypmod, a.attnotnull, a.attgenerated,
           a.attidentity
    FROM pg_attribute a
    WHERE a.attrelid = ANY ($1::oid[]) AND a.attnum > 0 AND NOT a.attisdropped
), component AS (
    -- A type and everything that stands inside its binary form.
    SELECT DISTINCT atttypid AS whole, atttypid AS part FROM of_table
    UNION
    SELECT component.whole, inner_type.oid
    FROM component
    JOIN pg_type t ON t.oid = component.part
    LEFT JOIN pg_range r ON r.rngtypid = t.oid
    CROSS JOIN LATERAL unnest(
        ARRAY[t.typbasetype, CASE WHEN t.typlen = -1 THEN t.typelem ELSE 0 END, r.rngsubtype]
    ) AS inner_type (oid)
    WHERE inner_type.oid <> 0
), unportable AS (
    -- No binary form; or one that holds OIDs: reg* types, rows, arrays of types that no cluster has
    -- from the beginning (which servers before version 14 refuse).  A multirange holds ranges of a
    -- type that stands in no column here.
    SELECT DISTINCT component.whole
    FROM component
    JOIN pg_type t ON t.oid = component.part
    WHERE t.typsend = 0 OR t.typreceive = 0 OR t.typtype IN ('c', 'p')
       OR (t.typtype = 'm' AND t.oid >= 16384)
       OR (t.typnamespace = 'pg_catalog'::regnamespace AND t.typname ~ '^reg')
       OR (t.typlen = -1 AND t.typelem >= 16384)
)
SELECT a.attrelid, a.attname, quote_ident(a.attname), a.attnum,
       format_type(a.atttypid, a.atttypmod), tn.nspname, t.typname, a.attnotnull,
       a.attgenerated <> '', a.attidentity, u.whole IS NULL
FROM of_table a
JOIN pg_type t ON t.oid = a.atttypid
JOIN pg_namespace tn ON tn.oid = t.typnamespace
LEFT JOIN unportable u ON u.whole = a.atttypid
ORDER BY a.attrelid, a.attnum
