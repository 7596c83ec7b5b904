SELECT bot, run, space, splitter, fingerprint, rows, complete,
       (extract(epoch FROM marked) * 1000)::bigint
FROM vecferry.mark WHERE target = $1::oid
