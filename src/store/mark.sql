INSERT INTO vecferry.mark
    (target, bot, run, worker, space, splitter, fingerprint, rows, complete, outcome, marked)
SELECT $1::oid, $2, $3, $4, $5, $6, $7, $8::bigint, $9::boolean,
       -- Which transaction wrote a source's rows, as their xmin shows it: this one, if nobody says another.
       (SELECT coalesce(jsonb_agg(jsonb_build_object('xid', (pg_current_xact_id()::text::numeric % 4294967296)::text)
                                  || entry ORDER BY position), '[]')
        FROM jsonb_array_elements($10::jsonb) WITH ORDINALITY AS list (entry, position)),
       clock_timestamp()
ON CONFLICT (target, bot) DO UPDATE SET
    run = excluded.run, worker = excluded.worker, space = excluded.space,
    splitter = excluded.splitter, fingerprint = excluded.fingerprint, rows = excluded.rows,
    complete = excluded.complete, outcome = excluded.outcome, marked = excluded.marked
