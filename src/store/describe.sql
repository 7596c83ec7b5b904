-- One row about the store: identity, extension, table, vector column, index, privileges.
WITH target AS (
    SELECT to_regclass($1) AS oid
), column_of AS (
    SELECT a.atttypmod, t.typname
    FROM target, pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
    WHERE a.attrelid = target.oid AND a.attname = $2 AND a.attnum > 0 AND NOT a.attisdropped
)
SELECT (SELECT oid FROM pg_database WHERE datname = current_database()) AS database_oid,
       current_database() AS database,
       target.oid::oid AS table_oid,
       (SELECT quote_ident(n.nspname) || '.' || quote_ident(c.relname)
          FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
         WHERE c.oid = target.oid) AS table_name,
       (SELECT c.relkind FROM pg_class c WHERE c.oid = target.oid) AS kind,
       (SELECT extversion FROM pg_extension WHERE extname = 'vector') AS pgvector,
       (SELECT quote_ident(n.nspname)
          FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace
         WHERE e.extname = 'vector') AS extension_schema,
       (SELECT typname FROM column_of) AS column_type,
       (SELECT atttypmod FROM column_of) AS dimensions,
       EXISTS (SELECT FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
                 JOIN pg_am am ON am.oid = c.relam
                WHERE i.indrelid = target.oid AND am.amname IN ('ivfflat', 'hnsw')
                  AND i.indisvalid) AS has_vector_index,
       has_database_privilege(current_database(), 'CREATE')
           OR to_regnamespace('vecferry') IS NOT NULL AS may_prepare,
       target.oid IS NOT NULL
           AND has_table_privilege(target.oid, 'SELECT')
           AND has_table_privilege(target.oid, 'INSERT')
           AND has_table_privilege(target.oid, 'DELETE') AS may_write,
       current_user AS role,
       -- to_regclass() would be an error for a role that may not use the schema.
       EXISTS (SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                WHERE n.nspname = 'vecferry' AND c.relname = 'store'
                  AND has_schema_privilege(n.oid, 'USAGE')
                  AND has_table_privilege(c.oid, 'SELECT')) AS has_schema,
       target.oid IS NOT NULL AND has_table_privilege(target.oid, 'SELECT') AS may_read
FROM target
