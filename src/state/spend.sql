UPDATE meter
SET tokens = tokens + ?1, calls = calls + 1, spent = min(spent + ?2, ?3)
