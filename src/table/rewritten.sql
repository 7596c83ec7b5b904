-- Whether a table is another file now than it was in this snapshot.  The function looks at the
-- catalogue as it is, the query as it was.
SELECT pg_relation_filenode($1::oid) IS DISTINCT FROM relfilenode FROM pg_class WHERE oid = $1::oid
