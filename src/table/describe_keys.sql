-- The key of each of the tables $1 (oids): the primary one, or the narrowest without NULLs.
SELECT DISTINCT ON (i.indrelid) i.indrelid, i.indisprimary,
       (SELECT string_agg(k.attnum::text, ' ' ORDER BY k.place)
        FROM unnest(i.indkey::smallint[]) WITH ORDINALITY AS k (attnum, place)
        WHERE k.place <= i.indnkeyatts)
FROM pg_index i
WHERE i.indrelid = ANY ($1::oid[]) AND i.indisunique AND i.indisvalid AND i.indimmediate
  AND i.indpred IS NULL AND i.indexprs IS NULL
  AND NOT EXISTS (
      SELECT FROM unnest(i.indkey::smallint[]) WITH ORDINALITY AS k (attnum, place)
      JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
      WHERE k.place <= i.indnkeyatts AND NOT a.attnotnull)
ORDER BY i.indrelid, i.indisprimary DESC, i.indnkeyatts, i.indexrelid
