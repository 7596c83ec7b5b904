INSERT INTO vecferry.store (target, made_by_us)
SELECT 'items'::regclass::oid, true
ON CONFLICT (target) DO NOTHING
