SELECT number, text_hash FROM vecferry.staged
WHERE target = $1::oid AND bot = $2 AND space = $3 AND source_hash = $4::bytea
ORDER BY number
