-- A row when the run is still ours; nobody takes it over before this transaction ends.
SELECT FROM vecferry.copy_run WHERE run = $1 AND generation = $2 FOR SHARE
