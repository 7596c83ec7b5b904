SELECT tokens, calls, spent, priced, (SELECT coalesce(sum(cost), 0)
FROM reservation)
FROM meter
