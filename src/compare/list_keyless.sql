SELECT hash AS key, hash, place
FROM (SELECT {hash} AS hash, {place} AS place FROM ONLY {table} AS t OFFSET 0) AS hashed
WHERE get_byte(hash, 0) = ANY ($1::int[])
