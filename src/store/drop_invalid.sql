-- A half-built index is worthless, whoever left it.
DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_index
                WHERE indexrelid = to_regclass('idx_items_embedding') AND NOT indisvalid) THEN
        DROP INDEX idx_items_embedding;
    END IF;
END
$$
