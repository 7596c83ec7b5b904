-- What the run $1 has made in the target.
SELECT definition FROM vecferry.copied_definition WHERE run = $1
