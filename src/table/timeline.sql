-- The timeline that the source writes or follows; the control file's may lag behind a promotion.
SELECT CASE WHEN pg_is_in_recovery() THEN (SELECT timeline_id FROM pg_control_checkpoint())::text
            ELSE left(pg_walfile_name(pg_current_wal_lsn()), 8) END
