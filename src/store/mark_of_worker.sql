SELECT rows, complete, outcome::text FROM vecferry.mark
WHERE target = $1::oid AND bot = $2 AND worker = $3
