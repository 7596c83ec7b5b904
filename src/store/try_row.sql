-- One made-up row, taken back afterwards: whatever the table refuses is known before money is spent.
INSERT INTO {table} ({columns})
SELECT {values}
FROM (SELECT $1::text AS id, $2::text AS bot, $3::text AS source, $3::text AS content,
             ('[' || array_to_string(array_fill(1, ARRAY[$4::int]), ',') || ']')::{vector}
             AS embedding) s
