-- What an answer does not tell stays as it was; what is known already is not written again.
UPDATE meter
SET told_requests = CASE WHEN ?1 > 0 THEN ?1 ELSE told_requests END,
    told_tokens = CASE WHEN ?2 > 0 THEN ?2 ELSE told_tokens END
WHERE (?1 > 0 AND told_requests <> ?1) OR (?2 > 0 AND told_tokens <> ?2)
