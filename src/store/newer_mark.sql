SELECT rows FROM vecferry.mark
WHERE target = $1::oid AND bot = $2 AND space = $3 AND splitter = $4 AND fingerprint = $5
  AND complete AND (extract(epoch FROM marked) * 1000)::bigint > $6::bigint
