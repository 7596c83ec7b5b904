-- Takes the run over.  Who still works at it of an earlier generation holds a share of the row, and
-- is waited for; who comes later with an old generation finds it gone.
INSERT INTO vecferry.copy_run AS r (run, source, generation) VALUES ($1, $2, 1)
ON CONFLICT (run) DO UPDATE SET generation = r.generation + 1
RETURNING generation, to_char(finished AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS "UTC"')
