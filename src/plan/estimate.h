/*
 * estimate.h - how much text, how many tokens, how long: low, expected and high.
 *
 * Characters are guessed from bytes by the form of the document; chunks follow from size and
 * overlap, tokens from the language.  The growth of text by overlap (1.15 at 1000/200) and the
 * characters per token (English 4.3, Chinese and Japanese 1.4 to 1.7) were measured; what a file's
 * language is, nobody knows before reading it, hence the wide range.  Every number of these may be
 * told by the user; the manual page has the formulas.
 */
#pragma once

#include "model/plan.h"

/* What the text of a document is wrapped in. */
typedef enum
{
    FORM_TEXT,
    FORM_HTML,
    FORM_PDF,
    FORM_DOCX,
    FORM_COUNT, /* any other */
} DocumentForm;

typedef struct
{
    double usd_per_token;                   /* negative unknown */
    double characters_per_token;            /* 0: not told, a guess with a wide range */
    double characters_per_byte[FORM_COUNT]; /* likewise */
    double overlap_growth;                  /* 0: not told */
    double prefix_characters;               /* that are billed with each chunk */
    double call_seconds;                    /* one call to the provider */
    Estimate document_seconds;              /* to open one document, whatever its length */
    double max_texts;                       /* in a call */
    double calls_in_flight;                 /* of one worker */
    double workers;
    double requests_per_minute; /* 0 no limit */
    double tokens_per_minute;   /* 0 no limit */
} EstimateRules;

/* The characters in a document of this many bytes (-1 unknown); its form from the name's ending. */
Estimate estimate_characters(
    const char *name, SourceKind kind, gint64 bytes, const EstimateRules *rules);

/*
 * How often a text without spaces comes, at most: each chunk takes only so many new characters as
 * the overlap leaves.  Texts with spaces are cut between sentences and repeated far less.
 */
double estimate_repetition(int chunk_size, int chunk_overlap);

/* Fills chunks, tokens, usd and seconds of a bot that has so many characters to embed, in the
 * documents that its sources name. */
void estimate_bot(
    PlannedBot *bot, Estimate characters, int chunk_size, int chunk_overlap,
    const EstimateRules *rules);

/* Sums the bots that are to be embedded, and the wall clock of all workers. */
void estimate_plan(Plan *plan, const EstimateRules *rules);

Estimate estimate_sum(Estimate a, Estimate b);
