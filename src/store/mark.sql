INSERT INTO vecferry.mark
    (target, bot, run, worker, space, splitter, fingerprint, rows, complete, outcome, marked)
VALUES ($1::oid, $2, $3, $4, $5, $6, $7, $8::bigint, $9::boolean, $10::jsonb, clock_timestamp())
ON CONFLICT (target, bot) DO UPDATE SET
    run = excluded.run, worker = excluded.worker, space = excluded.space,
    splitter = excluded.splitter, fingerprint = excluded.fingerprint, rows = excluded.rows,
    complete = excluded.complete, outcome = excluded.outcome, marked = excluded.marked
