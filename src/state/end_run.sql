-- Whoever begins a run again that has come to its end is asked again.
UPDATE run SET state = ?1, ended = ?2, stop = ?3, agreed = iif(?2 = 0, agreed, NULL)
