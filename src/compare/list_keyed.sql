SELECT {key} AS key, {hash} AS hash, {place} AS place
FROM ONLY {table} AS t WHERE get_byte({key}, 0) = ANY ($1::int[])
