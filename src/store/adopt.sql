-- The mark of another worker that did the same work since this session began becomes ours.
UPDATE vecferry.mark SET worker = $3
WHERE target = $1::oid AND bot = $2 AND space = $4 AND splitter = $5 AND fingerprint = $6
  AND complete
  AND marked >= (SELECT backend_start FROM pg_stat_activity WHERE pid = pg_backend_pid())
