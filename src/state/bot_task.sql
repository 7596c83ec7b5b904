UPDATE bot
SET task = ?1
WHERE (user, bot) = (SELECT user, bot
FROM intent
WHERE id = ?2)
