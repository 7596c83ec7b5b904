-- The schema vecferry: what vecferry keeps for itself in a store.
CREATE SCHEMA IF NOT EXISTS vecferry;
COMMENT ON SCHEMA vecferry IS 'kept by vecferry; may be dropped when no run is under way';
CREATE TABLE IF NOT EXISTS vecferry.copy_run (
    run text PRIMARY KEY,
    source text NOT NULL,
    generation bigint NOT NULL,
    begun timestamptz NOT NULL DEFAULT now(),
    finished timestamptz
);
CREATE TABLE IF NOT EXISTS vecferry.copied_part (
    run text NOT NULL,
    target oid NOT NULL,
    first_block bigint NOT NULL,
    end_block bigint NOT NULL,
    origin text NOT NULL,
    source_table oid NOT NULL,
    relfilenode oid NOT NULL,
    shape text NOT NULL,
    rows bigint NOT NULL DEFAULT 0,
    bytes bigint NOT NULL DEFAULT 0,
    fingerprint text NOT NULL DEFAULT '',
    xid bigint NOT NULL DEFAULT txid_current(),
    marked timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (run, target, first_block)
);
CREATE TABLE IF NOT EXISTS vecferry.copied_definition (
    run text NOT NULL,
    definition text NOT NULL,
    made timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (run, definition)
);
