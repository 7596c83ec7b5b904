-- The schema vecferry: what vecferry keeps for itself in a store.
CREATE SCHEMA IF NOT EXISTS vecferry;
COMMENT ON SCHEMA vecferry IS 'kept by vecferry; may be dropped when no run is under way';
CREATE TABLE IF NOT EXISTS vecferry.store (
    target oid PRIMARY KEY,
    created timestamptz NOT NULL DEFAULT now(),
    made_by_us boolean NOT NULL
);
CREATE TABLE IF NOT EXISTS vecferry.mark (
    target oid NOT NULL,
    bot text NOT NULL,
    run text NOT NULL,
    worker text NOT NULL,
    space text NOT NULL,
    splitter text NOT NULL,
    fingerprint text NOT NULL,
    rows bigint NOT NULL,
    complete boolean NOT NULL,
    outcome jsonb NOT NULL,
    marked timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (target, bot)
);
CREATE TABLE IF NOT EXISTS vecferry.staged (
    target oid NOT NULL,
    bot text NOT NULL,
    source_hash bytea NOT NULL,
    number integer NOT NULL,
    space text NOT NULL,
    text_hash bytea NOT NULL,
    id text NOT NULL,
    source text NOT NULL,
    content text NOT NULL,
    embedding {vector} NOT NULL,
    PRIMARY KEY (target, bot, space, source_hash, number)
);
