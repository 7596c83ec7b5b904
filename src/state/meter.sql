CREATE TABLE IF NOT EXISTS meter (only INTEGER PRIMARY KEY CHECK (only = 1), boot TEXT,
    tokens INTEGER, calls INTEGER, spent INTEGER, next_request INTEGER, next_token INTEGER,
    cool_until INTEGER, pauses INTEGER, told_requests INTEGER, told_tokens INTEGER,
    priced INTEGER);
CREATE TABLE IF NOT EXISTS reservation (ticket INTEGER PRIMARY KEY AUTOINCREMENT, owner TEXT,
    cost INTEGER, expected INTEGER);
CREATE TABLE IF NOT EXISTS passed (ticket INTEGER PRIMARY KEY, slot INTEGER, tokens INTEGER);
-- What had been spent when the cap began to count, and whether all that it was for is done.
CREATE TABLE IF NOT EXISTS period (only INTEGER PRIMARY KEY CHECK (only = 1), began INTEGER,
    over INTEGER);
CREATE TABLE IF NOT EXISTS model (only INTEGER PRIMARY KEY CHECK (only = 1), dimensions INTEGER);
CREATE INDEX IF NOT EXISTS passed_by_slot ON passed (slot);
INSERT OR IGNORE INTO period
VALUES (1, 0, 0);
INSERT OR IGNORE INTO meter
VALUES (1, '', 0, 0, 0, 0, 0, 0, 0, 0, 0, 1)
