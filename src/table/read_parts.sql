-- All parts of a run.  Transaction numbers come back after four thousand million.
SELECT target, first_block, end_block, origin, source_table, relfilenode, shape, rows, bytes,
       fingerprint, xid, (xid & 4294967295)::text, txid_current() - xid < 2000000000
FROM vecferry.copied_part WHERE run = $1 ORDER BY target, first_block
