-- The rows of {table} by bucket.  OFFSET 0 keeps hashes from being computed twice.
SELECT bucket, count(*), sum(('x' || encode(substr(hash, 17, 8), 'hex'))::bit(64)::bigint),
       sum(('x' || encode(substr(hash, 25, 8), 'hex'))::bit(64)::bigint)
FROM (SELECT get_byte(coalesce(key, hash), 0) AS bucket, hash
      FROM (SELECT {key} AS key, {hash} AS hash FROM ONLY {table} AS t{range} OFFSET 0) AS hashed
      OFFSET 0) AS placed
GROUP BY bucket
