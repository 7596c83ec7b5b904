-- Bytes sort alike everywhere.
SELECT key, hash, count(*), min(place) FROM ({pieces}) AS listed GROUP BY key, hash ORDER BY key, hash
