-- How the foreign key or trigger of catalogue $1 with oid $2 is taken away.
SELECT format('ALTER TABLE %I.%I DROP CONSTRAINT IF EXISTS %I', n.nspname, t.relname, c.conname)
FROM pg_constraint c JOIN pg_class t ON t.oid = c.conrelid JOIN pg_namespace n ON n.oid = t.relnamespace
WHERE $1::oid = 'pg_constraint'::regclass AND c.oid = $2::oid
UNION ALL
SELECT format('DROP TRIGGER IF EXISTS %I ON %I.%I', g.tgname, n.nspname, t.relname)
FROM pg_trigger g JOIN pg_class t ON t.oid = g.tgrelid JOIN pg_namespace n ON n.oid = t.relnamespace
WHERE $1::oid = 'pg_trigger'::regclass AND g.oid = $2::oid
