-- Rows by bot and source, with the oldest ULID's time part as text.
SELECT {bot}::text, coalesce({source}::text, ''), count(*),
       count(*) FILTER (WHERE {text} IS NULL OR {vector} IS NULL), {oldest}
FROM {table} GROUP BY 1, 2
