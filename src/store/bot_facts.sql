-- What is known of one bot: its rows, the space of its mark, the dimensions of one of its vectors.
SELECT (SELECT count(*) FROM {table} WHERE {bot} = $1),
       (SELECT {schema}.vector_dims({vector}::{schema}.vector) FROM {table}
         WHERE {bot} = $1 AND {vector} IS NOT NULL LIMIT 1)
