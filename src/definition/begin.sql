-- A transaction in which pg_dump's SQL means what it says.
BEGIN;
SET LOCAL search_path = '';
SET LOCAL check_function_bodies = false;
SET LOCAL client_min_messages = warning;
SET LOCAL default_tablespace = '';
SET LOCAL lock_timeout = 0
