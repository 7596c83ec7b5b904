-- The application's own query: the bot's rows nearest to a vector.
SELECT {vector} OPERATOR({operator}) $1::{type} AS distance, {source}::text, {text}::text
FROM {table} WHERE {bot} = $2
ORDER BY {vector} OPERATOR({operator}) $1::{type} LIMIT $3::int
