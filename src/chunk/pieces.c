#include "chunk/pieces.h"

#include "chunk/chars.h"

#include <string.h>

/* The bytes of the clause mark at p, one of , . ; 。 ？ ！; else 0. */
static size_t
clause_mark(const char *p)
{
    guint8 lead = (guint8) *p;

    if (lead < 0x80)
        return char_is(p, CHAR_CLAUSE) ? 1 : 0;
    if (lead == 0xE3)
        return memcmp(p, "。", 3) == 0 ? 3 : 0;
    if (lead == 0xEF)
        return memcmp(p, "？", 3) == 0 || memcmp(p, "！", 3) == 0 ? 3 : 0;
    return 0;
}

static const char *
skip_clause_marks(const char *p, const char *end)
{
    size_t bytes;
    while (p < end && (bytes = clause_mark(p)) > 0)
        p += bytes;
    return p;
}

/* Behind the first clause mark. */
static const char *
clause_end(const char *p, const char *end)
{
    while (p < end)
    {
        size_t bytes = clause_mark(p);
        if (bytes > 0)
            return p + bytes;
        p++;
    }
    return end;
}

static const char *
next_clause(const Pieces *pieces, PieceLevel *level)
{
    if (pieces->rules.drops_marks)
        level->at = skip_clause_marks(level->at, level->end);

    const char *end = clause_end(level->at, level->end);
    return pieces->rules.corrected ? chars_skip_joined(end, level->end) : end;
}

/* Before the next paragraph's separator; a part may begin with one of its own. */
static const char *
next_paragraph(const Pieces *pieces, const PieceLevel *level)
{
    const char *separator = pieces->rules.paragraph;
    size_t bytes = strlen(separator);
    size_t left = (size_t) (level->end - level->at);
    size_t own = left >= bytes && memcmp(level->at, separator, bytes) == 0 ? bytes : 0;
    const char *found = memmem(level->at + own, left - own, separator, bytes);

    return found != NULL ? found : level->end;
}

static const char *
next_word(const PieceLevel *level)
{
    const char *found = memchr(level->at + 1, ' ', (size_t) (level->end - level->at) - 1);
    return found != NULL ? found : level->end;
}

static const char *
next_character(Pieces *pieces, const PieceLevel *level)
{
    if (pieces->graphemes == NULL)
        return level->at + char_bytes(level->at);

    if (pieces->grapheme_end <= level->at)
        pieces->grapheme_end = graphemes_next(pieces->graphemes);
    return chars_forward(level->at, pieces->grapheme_end, pieces->size);
}

/* The end of the part that begins at level->at, which may first move over what is dropped. */
static const char *
next_part(Pieces *pieces, PieceLevel *level)
{
    switch (level->method)
    {
    case CUT_PARAGRAPHS:
        return next_paragraph(pieces, level);
    case CUT_SENTENCES:
        return sentences_next(&level->sentences);
    case CUT_CLAUSES:
        return next_clause(pieces, level);
    case CUT_WORDS:
        return next_word(level);
    case CUT_CHARACTERS:
        return next_character(pieces, level);
    }
    g_assert_not_reached();
}

/* True when there is something behind the first clause.  What would be dropped moves no place yet.
 */
static bool
clauses_work(const Pieces *pieces, const PieceLevel *level)
{
    PieceLevel trial = {.at = level->at, .end = level->end};

    trial.at = next_clause(pieces, &trial);
    if (pieces->rules.drops_marks)
        trial.at = skip_clause_marks(trial.at, trial.end);
    return trial.at < trial.end;
}

/* True when the level's method makes at least two parts; it is ready to make them then. */
static bool
method_works(Pieces *pieces, PieceLevel *level)
{
    switch (level->method)
    {
    case CUT_PARAGRAPHS:
        return next_paragraph(pieces, level) < level->end;
    case CUT_SENTENCES:
        return sentences_begin(
            &level->sentences, level->at, level->end, pieces->size, pieces->rules.corrected);
    case CUT_CLAUSES:
        return clauses_work(pieces, level);
    case CUT_WORDS:
        return next_word(level) < level->end;
    case CUT_CHARACTERS:
        pieces->grapheme_end = level->at;
        if (pieces->graphemes != NULL)
            graphemes_begin(pieces->graphemes, level->at, level->end);
        return true;
    }
    g_assert_not_reached();
}

/* Begins to cut a text that is too long. */
static void
push(Pieces *pieces, const char *start, const char *end, unsigned untried)
{
    g_assert(pieces->depth < PIECE_LEVELS);
    PieceLevel *level = &pieces->levels[pieces->depth];

    level->at = start;
    level->end = end;
    for (level->method = CUT_PARAGRAPHS;; level->method++)
    {
        bool is_untried = (untried & 1u << level->method) != 0;
        untried &= ~(1u << level->method);
        if (is_untried && method_works(pieces, level))
            break;
    }
    if (level->method == CUT_CLAUSES || level->method == CUT_WORDS)
        untried |= 1u << CUT_SENTENCES;
    level->untried = untried;
    pieces->depth++;
}

/* The next part of the level on top, fitting or not; false when it is cut up. */
static bool
take_part(Pieces *pieces, Piece *part)
{
    PieceLevel *level = &pieces->levels[pieces->depth - 1];
    if (level->at == level->end)
        return false;

    part->end = next_part(pieces, level);
    part->start = level->at;
    level->at = part->end;
    return part->start < part->end;
}

void
pieces_begin(
    Pieces *pieces, const char *text, size_t size, const PieceRules *rules, Graphemes *graphemes)
{
    *pieces = (Pieces){
        .rules = *rules,
        .start = text,
        .end = text + strlen(text),
        .size = size,
        .graphemes = graphemes,
    };
}

/* The whole text is the first part. */
static bool
take_text(Pieces *pieces, Piece *part)
{
    if (pieces->begun)
        return false;
    pieces->begun = true;
    *part = (Piece){.start = pieces->start, .end = pieces->end};
    return part->start < part->end;
}

/* Hands out the part as a piece if it fits, else begins to cut it. */
static bool
hand_out(Pieces *pieces, Piece *part, unsigned untried)
{
    if (!chars_fit(part->start, part->end, pieces->size))
    {
        push(pieces, part->start, part->end, untried);
        return false;
    }
    part->chars = chars_count(part->start, part->end);
    return true;
}

bool
pieces_next(Pieces *pieces, Piece *piece)
{
    if (take_text(pieces, piece) && hand_out(pieces, piece, ~0u))
        return true;

    while (pieces->depth > 0)
    {
        if (!take_part(pieces, piece))
            pieces->depth--;
        else if (hand_out(pieces, piece, pieces->levels[pieces->depth - 1].untried))
            return true;
    }
    return false;
}
