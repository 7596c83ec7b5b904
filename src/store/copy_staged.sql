COPY vecferry.staged
    (target, bot, source_hash, number, space, text_hash, id, source, content, embedding)
FROM STDIN (FORMAT binary)
