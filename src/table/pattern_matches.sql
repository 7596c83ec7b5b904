-- Whether a schema $1 has a table $2, or whether there is such a schema at all ($2 NULL); both are
-- regular expressions.
SELECT EXISTS (
    SELECT FROM pg_namespace n
    LEFT JOIN pg_class c ON c.relnamespace = n.oid AND c.relkind IN ('r', 'p')
    WHERE n.nspname ~ $1 AND n.nspname NOT IN ('information_schema', 'vecferry')
      AND n.nspname !~ '^pg_' AND ($2::text IS NULL OR c.relname ~ $2))
