-- What stands in the way of writing into the table $1: a privilege, a trigger that fires.  $2 says
-- whether ordinary triggers are silent.
SELECT has_table_privilege($1::oid, 'SELECT'), has_table_privilege($1::oid, 'INSERT'),
       (SELECT quote_ident(t.tgname) || CASE WHEN t.tgisinternal THEN ' (of a foreign key)' ELSE '' END
        FROM pg_trigger t
        WHERE t.tgrelid = $1::oid AND t.tgenabled IN ('A', CASE WHEN $2 THEN 'R' ELSE 'O' END)
        ORDER BY t.tgisinternal, t.tgname LIMIT 1),
       current_user
