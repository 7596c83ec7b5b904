SELECT to_regclass('vecferry.store') IS NOT NULL AND to_regclass('vecferry.mark') IS NOT NULL
   AND to_regclass('vecferry.staged') IS NOT NULL
