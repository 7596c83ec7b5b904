-- Of each of the tables $1 (oids): what stands above it, and what keeps the role from its rows.
SELECT c.oid, root_schema.nspname, root.relname,
       quote_ident(root_schema.nspname) || '.' || quote_ident(root.relname), current_user,
       CASE WHEN NOT has_schema_privilege(n.oid, 'USAGE') THEN 'schema'
            WHEN NOT has_table_privilege(c.oid, 'SELECT') THEN 'table'
            WHEN row_security_active(c.oid) THEN 'rows' END,
       quote_ident(n.nspname)
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_class root ON c.relispartition AND root.oid = pg_partition_root(c.oid)
LEFT JOIN pg_namespace root_schema ON root_schema.oid = root.relnamespace
WHERE c.oid = ANY ($1::oid[])
