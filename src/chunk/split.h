/*
 * split.h - cuts a text into chunks exactly as llama-index's SentenceSplitter does.
 *
 * The guide's container calls SentenceSplitter.split_text of llama-index-core 0.10.44
 * with an untrained Punkt tokenizer and counts characters (Unicode code points).
 * SPLIT_GUIDE gives the same chunks to the letter, defects included: chunks may
 * reach size + overlap, and runs of punctuation can lose characters.
 * SPLIT_CORRECTED loses nothing and never exceeds the size.
 *
 * Chunks come one by one, so that a book is never in memory twice.  The time is
 * linear in text and chunks, whatever the text.
 */
#pragma once

#include <glib.h>

typedef enum
{
    SPLIT_GUIDE,     /* 0.10.44 as the container called it; may exceed the size */
    SPLIT_NEWLINES,  /* 0.10.44, but paragraphs end at real newlines */
    SPLIT_LATEST,    /* llama-index since 2025-10, with real newlines */
    SPLIT_CORRECTED, /* SPLIT_LATEST with CJK sentence ends and whole graphemes */
} SplitVariant;

typedef struct
{
    SplitVariant variant;
    int size;    /* characters (code points) in a chunk, at least 1 */
    int overlap; /* characters repeated from the chunk before, at most; 0 to size.  The nearer
                    to size, the more often a text without spaces is repeated */
} SplitOptions;

typedef struct Split Split;

/*
 * Begins to cut valid UTF-8 text, which is borrowed until split_free().
 * VF_ERROR_USAGE when the options make no sense, VF_ERROR_BAD_INPUT when the
 * text is not UTF-8.
 */
Split *split_begin(const char *text, const SplitOptions *options, GError **error);

/* The next chunk, yours; NULL after the last.  Never empty, never only white space. */
char *split_next(Split *split);

void split_free(Split *split);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Split, split_free)

/*
 * The most characters that one chunk can have under these (sensible) options: size +
 * overlap for SPLIT_GUIDE and SPLIT_NEWLINES, size for the others.
 */
int split_longest(const SplitOptions *options);

/* "guide", "newlines", "latest", "corrected"; the other way false for an unknown name. */
const char *split_variant_name(SplitVariant variant);
gboolean split_variant_from_name(const char *name, SplitVariant *variant);
