-- What the guide's custom resource makes in an empty database; its vector index comes after the rows.
CREATE EXTENSION IF NOT EXISTS pgcrypto;
CREATE EXTENSION IF NOT EXISTS vector;
CREATE TABLE items (
    id char(26) PRIMARY KEY,
    botid char(26),
    content text,
    source text,
    embedding vector({dimensions})
);
CREATE INDEX idx_items_botid ON items (botid)
