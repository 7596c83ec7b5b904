-- Whoever begins a run again that has come to its end is asked again.
UPDATE run SET state = ?1, ended = ?2, agreed = iif(?2 = 0, agreed, NULL)
