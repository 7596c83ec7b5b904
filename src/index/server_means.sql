-- What the server says of its memory and its workers.
SELECT pg_size_bytes(current_setting('maintenance_work_mem')),
       pg_size_bytes(current_setting('shared_buffers')),
       pg_size_bytes(current_setting('effective_cache_size')),
       current_setting('max_parallel_workers'),
       current_setting('max_parallel_maintenance_workers')
