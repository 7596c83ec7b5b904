-- The row versions of a range, as few bytes: the same again means the same rows.
SELECT count(*), sum(hashtextextended(ctid::text || ' ' || xmin::text, 0))
FROM ONLY {table}{range}
