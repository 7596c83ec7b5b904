CREATE TABLE IF NOT EXISTS run (
    id TEXT PRIMARY KEY, kind TEXT, store TEXT, embedder TEXT, state TEXT, stop TEXT,
    agreed TEXT, expected_usd REAL, usd_per_token REAL, created INTEGER, ended INTEGER);
CREATE TABLE IF NOT EXISTS bot (
    user TEXT, bot TEXT, position INTEGER, title TEXT, state TEXT, evidence TEXT,
    attempts INTEGER DEFAULT 0, task TEXT, chunks INTEGER DEFAULT 0, reused INTEGER DEFAULT 0,
    tokens INTEGER DEFAULT 0, expected_chunks INTEGER, expected_usd REAL, code TEXT, reason TEXT,
    started INTEGER DEFAULT 0, ended INTEGER DEFAULT 0,
    PRIMARY KEY (user, bot));
CREATE TABLE IF NOT EXISTS intent (
    id INTEGER PRIMARY KEY AUTOINCREMENT, user TEXT, bot TEXT, name TEXT, task TEXT,
    intended INTEGER, launched INTEGER);
CREATE TABLE IF NOT EXISTS shift (
    id INTEGER PRIMARY KEY AUTOINCREMENT, began INTEGER, seen INTEGER);
