-- How many rows each of our transactions $1 has in the table, and NULL how many are of others.
SELECT owner, count(*)
FROM (SELECT CASE WHEN xmin = ANY ($1::xid[]) THEN xmin::text END AS owner
      FROM ONLY {table}) AS row_of
GROUP BY owner
