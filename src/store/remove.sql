-- The bot's rows and its mark go, if the mark is the one that was seen and the rows are all that it counted.
WITH gone AS (
    DELETE FROM vecferry.mark
    WHERE target = $1::oid AND bot = $2 AND rows = $3::bigint
      AND (extract(epoch FROM marked) * 1000)::bigint = $4::bigint
      AND rows = (SELECT count(*) FROM {table} WHERE {bot} = $5)
    RETURNING rows
)
DELETE FROM {table} t USING gone WHERE t.{bot} = $5
