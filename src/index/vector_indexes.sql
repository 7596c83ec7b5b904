-- Indexes of pgvector's kinds, one row each.
SELECT c.oid, c.relname, quote_ident(n.nspname) || '.' || quote_ident(c.relname),
       quote_ident(tn.nspname) || '.' || quote_ident(t.relname), pg_get_indexdef(c.oid, 1, false),
       quote_ident(cn.nspname) || '.' || quote_ident(o.opcname), pg_get_expr(i.indpred, i.indrelid),
       ty.typname, am.amname, a.atttypmod,
       (SELECT option_value FROM pg_options_to_table(c.reloptions) WHERE option_name = 'm'),
       (SELECT option_value FROM pg_options_to_table(c.reloptions) WHERE option_name = 'ef_construction'),
       (SELECT option_value FROM pg_options_to_table(c.reloptions) WHERE option_name = 'lists'),
       t.reltuples, i.indisvalid, c.relkind = 'I'
FROM pg_index i
JOIN pg_class c ON c.oid = i.indexrelid AND c.relkind IN ('i', 'I')
JOIN pg_am am ON am.oid = c.relam AND am.amname IN ('hnsw', 'ivfflat')
JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_class t ON t.oid = i.indrelid
JOIN pg_namespace tn ON tn.oid = t.relnamespace
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = 1
JOIN pg_type ty ON ty.oid = a.atttypid
JOIN pg_opclass o ON o.oid = i.indclass[0]
JOIN pg_namespace cn ON cn.oid = o.opcnamespace
ORDER BY c.oid
