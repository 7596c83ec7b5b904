UPDATE meter
SET spent = min(spent + (SELECT coalesce(sum(cost), 0)
FROM reservation
WHERE owner = ?1), ?2)
