-- Announces a part.  No row when it was committed before; one that is under way is waited for.
INSERT INTO vecferry.copied_part
    (run, target, first_block, end_block, origin, source_table, relfilenode, shape)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
ON CONFLICT DO NOTHING
