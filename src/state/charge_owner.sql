UPDATE meter
SET spent = spent + (SELECT coalesce(sum(cost), 0)
FROM reservation
WHERE owner = ?1)
