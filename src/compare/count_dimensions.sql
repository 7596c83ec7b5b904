-- Vectors by their dimensions, for a column that takes any.
SELECT {bot}::text, {source}::text, {schema}.vector_dims({vector}::{schema}.vector), count(*)
FROM {table} {where}
GROUP BY 1, 2, 3
HAVING count({vector}) > 0
