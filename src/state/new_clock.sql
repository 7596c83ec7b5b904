UPDATE meter
SET boot = ?1, next_request = 0, next_token = 0, cool_until = 0
WHERE boot <> ?1
