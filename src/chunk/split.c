#include "chunk/split.h"

#include "base/error.h"
#include "chunk/chars.h"
#include "chunk/pieces.h"

#include <string.h>

/* What makes the variants differ. */
typedef struct
{
    const char *name;
    PieceRules rules;
    bool may_exceed; /* the first piece behind the overlap is taken even if it is too long */
} Variant;

/* The container's separator was meant to be three newlines: it has backslashes instead. */
static const Variant VARIANTS[] = {
    [SPLIT_GUIDE] = {"guide", {.paragraph = "\\n\\n\\n", .drops_marks = true}, true},
    [SPLIT_NEWLINES] = {"newlines", {.paragraph = "\n\n\n", .drops_marks = true}, true},
    [SPLIT_LATEST] = {"latest", {.paragraph = "\n\n\n"}, false},
    [SPLIT_CORRECTED] = {"corrected", {.paragraph = "\n\n\n", .corrected = true}, false},
};

struct Split
{
    size_t size;
    size_t overlap;
    bool may_exceed;

    Pieces pieces;
    Graphemes *graphemes;
    Piece next; /* the piece that did not fit into the last chunk */
    bool has_next;

    /* The chunk under way: queue[first] to queue[first + count - 1]. */
    Piece *queue;
    size_t first;
    size_t count;
    size_t capacity;
    size_t chars;
    bool fresh; /* it holds nothing yet but overlap */
};

static bool
check_options(const SplitOptions *options, GError **error)
{
    if ((unsigned) options->variant >= G_N_ELEMENTS(VARIANTS))
        g_set_error(
            error, VF_ERROR, VF_ERROR_USAGE, "there is no splitter variant %d",
            (int) options->variant);
    else if (options->size < 1)
        g_set_error(
            error, VF_ERROR, VF_ERROR_USAGE, "the chunk size must be at least 1, not %d",
            options->size);
    else if (options->overlap < 0 || options->overlap > options->size)
        g_set_error(
            error, VF_ERROR, VF_ERROR_USAGE,
            "the chunk overlap must be from 0 to the chunk size of %d, not %d", options->size,
            options->overlap);
    else
        return true;
    return false;
}

static bool
check_text(const char *text, GError **error)
{
    const char *bad;
    if (g_utf8_validate(text, -1, &bad))
        return true;

    g_set_error(
        error, VF_ERROR, VF_ERROR_BAD_INPUT, "the text is not UTF-8 at byte %" G_GSIZE_FORMAT,
        (gsize) (bad - text));
    return false;
}

Split *
split_begin(const char *text, const SplitOptions *options, GError **error)
{
    if (!check_options(options, error) || !check_text(text, error))
        return NULL;

    const Variant *variant = &VARIANTS[options->variant];
    g_autoptr(Graphemes) graphemes = NULL;
    if (variant->rules.corrected && (graphemes = graphemes_new(error)) == NULL)
        return NULL;

    Split *split = g_new0(Split, 1);
    split->size = (size_t) options->size;
    split->overlap = (size_t) options->overlap;
    split->may_exceed = variant->may_exceed;
    split->fresh = true;
    split->graphemes = g_steal_pointer(&graphemes);
    pieces_begin(&split->pieces, text, split->size, &variant->rules, split->graphemes);
    return split;
}

static void
append(Split *split, const Piece *piece)
{
    if (split->first + split->count == split->capacity)
    {
        if (split->first <= split->capacity / 2)
        {
            split->capacity = MAX(64, split->capacity * 2);
            split->queue = g_renew(Piece, split->queue, split->capacity);
        }
        memmove(split->queue, split->queue + split->first, split->count * sizeof *split->queue);
        split->first = 0;
    }
    split->queue[split->first + split->count++] = *piece;
    split->chars += piece->chars;
    split->fresh = false;
}

static void
drop_first(Split *split)
{
    split->chars -= split->queue[split->first].chars;
    split->first++;
    split->count--;
}

/* Adds pieces until the next one does not fit; false when there is nothing new. */
static bool
gather(Split *split)
{
    for (;;)
    {
        if (!split->has_next)
            split->has_next = pieces_next(&split->pieces, &split->next);
        if (!split->has_next)
            return !split->fresh;
        if (!split->fresh && split->chars + split->next.chars > split->size)
            return true;

        if (split->fresh && !split->may_exceed)
            while (split->count > 0 && split->chars + split->next.chars > split->size)
                drop_first(split);
        append(split, &split->next);
        split->has_next = false;
    }
}

/* Leaves only what the next chunk repeats: whole pieces from the end. */
static void
carry_over(Split *split)
{
    size_t kept = 0;
    size_t chars = 0;

    while (kept < split->count)
    {
        const Piece *piece = &split->queue[split->first + split->count - 1 - kept];
        if (chars + piece->chars > split->overlap)
            break;
        chars += piece->chars;
        kept++;
    }
    split->first += split->count - kept;
    split->count = kept;
    split->chars = chars;
    split->fresh = true;
}

/* The chunk under way without the white space around it. */
static char *
stripped(const Split *split)
{
    const Piece *pieces = split->queue + split->first;
    size_t bytes = 0;

    for (size_t i = 0; i < split->count; i++)
        bytes += (size_t) (pieces[i].end - pieces[i].start);

    char *chunk = g_malloc(bytes + 1);
    char *end = chunk;
    for (size_t i = 0; i < split->count; i++)
        end = mempcpy(end, pieces[i].start, (size_t) (pieces[i].end - pieces[i].start));
    *end = '\0';

    const char *last = chars_strip_end(chunk, end);
    const char *first = chars_skip_spaces(chunk, last);
    size_t length = (size_t) (last - first);
    memmove(chunk, first, length);
    chunk[length] = '\0';
    return chunk;
}

char *
split_next(Split *split)
{
    while (gather(split))
    {
        g_autofree char *chunk = stripped(split);
        carry_over(split);
        if (*chunk != '\0')
            return g_steal_pointer(&chunk);
    }
    return NULL;
}

void
split_free(Split *split)
{
    if (split == NULL)
        return;
    graphemes_free(split->graphemes);
    g_free(split->queue);
    g_free(split);
}

int
split_longest(const SplitOptions *options)
{
    if (!VARIANTS[options->variant].may_exceed)
        return options->size;
    return (int) MIN((gint64) options->size + options->overlap, G_MAXINT);
}

const char *
split_variant_name(SplitVariant variant)
{
    return VARIANTS[variant].name;
}

gboolean
split_variant_from_name(const char *name, SplitVariant *variant)
{
    for (size_t i = 0; i < G_N_ELEMENTS(VARIANTS); i++)
        if (strcmp(VARIANTS[i].name, name) == 0)
        {
            *variant = (SplitVariant) i;
            return TRUE;
        }
    return FALSE;
}
