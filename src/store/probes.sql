-- A setting of the database, so that the application's own sessions get it.
DO $$
BEGIN
    EXECUTE format('ALTER DATABASE %I SET ivfflat.probes = {probes}', current_database());
END
$$
