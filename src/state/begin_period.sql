UPDATE period
SET began = (SELECT spent
FROM meter), over = 0
WHERE over = 1
