-- Whether our tables are there.  Of a schema that we may not use to_regclass() would be an error.
SELECT count(*) = 3 FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = 'vecferry' AND c.relname IN ('copy_run', 'copied_part', 'copied_definition')
