-- A row for each bot and source: rows, different texts, how often the rarest text occurs, and bad rows.
--
-- Texts are told apart by their hash, so that sorting them needs little room.  OFFSET 0 keeps the
-- length of a vector from being computed once for each place that uses it.
SELECT bot, source, sum(rows)::bigint, count(text_hash),
       coalesce(min(rows) FILTER (WHERE text_hash IS NOT NULL), 0),
       coalesce(sum(rows) FILTER (WHERE text_hash IS NULL), 0)::bigint,
       sum(null_vectors)::bigint, sum(zero_vectors)::bigint, sum(unit_vectors)::bigint
FROM (
    SELECT bot, source, text_hash, count(*) AS rows,
           count(*) FILTER (WHERE length IS NULL) AS null_vectors,
           count(*) FILTER (WHERE length = 0) AS zero_vectors,
           count(*) FILTER (WHERE abs(length - 1) <= 0.01) AS unit_vectors
    FROM (
        SELECT {bot}::text AS bot, {source}::text AS source,
               sha256(convert_to({text}::text, 'UTF8')) AS text_hash,
               {schema}.vector_norm({vector}::{schema}.vector) AS length
        FROM {table} {where}
        OFFSET 0
    ) AS chunk
    GROUP BY bot, source, text_hash
) AS distinct_text
GROUP BY bot, source
