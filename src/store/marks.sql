SELECT bot, run, space, splitter, fingerprint, rows, complete,
       (extract(epoch FROM marked) * 1000)::bigint,
       outcome::text
FROM vecferry.mark WHERE target = $1::oid
