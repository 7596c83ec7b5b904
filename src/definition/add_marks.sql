-- Marks the definitions $2 as made by the run $1.
INSERT INTO vecferry.copied_definition (run, definition)
SELECT $1, key FROM unnest($2::text[]) AS key
ON CONFLICT DO NOTHING
