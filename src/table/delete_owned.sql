-- Deletes the rows of our transactions $1; how many of each.
WITH gone AS (DELETE FROM ONLY {table} WHERE xmin = ANY ($1::xid[]) RETURNING xmin::text AS owner)
SELECT owner, count(*) FROM gone GROUP BY owner
