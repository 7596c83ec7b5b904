UPDATE meter
SET next_token = next_token + cast((?1 - (SELECT expected
FROM reservation
WHERE ticket = ?2)) * ?3 AS INTEGER)
