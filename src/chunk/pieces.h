/*
 * pieces.h - cuts a text into pieces that fit into a chunk.
 *
 * A text that is too long is cut by the first method that makes at least two parts
 * of it: at paragraphs, sentences, clauses, single spaces, characters.  Parts that
 * are still too long are cut in the same way.
 */
#pragma once

#include "chunk/graphemes.h"
#include "chunk/sentences.h"

/* A slice of the text. */
typedef struct
{
    const char *start;
    const char *end;
    size_t chars;
} Piece;

/* How a variant cuts. */
typedef struct
{
    const char *paragraph; /* what separates paragraphs; stays in front of the second */
    bool drops_marks;      /* a , . ; that follows another one is lost */
    bool corrected;        /* sentences of all scripts, whole graphemes */
} PieceRules;

typedef enum
{
    CUT_PARAGRAPHS,
    CUT_SENTENCES,
    CUT_CLAUSES,
    CUT_WORDS,
    CUT_CHARACTERS,
} CutMethod;

/* A text that is being cut. */
typedef struct
{
    CutMethod method;
    unsigned untried; /* a bit for each method that may cut its parts further */
    const char *at;   /* where its next part begins */
    const char *end;
    Sentences sentences;
} PieceLevel;

/*
 * Paragraphs, clauses, words and characters are cut once at most on the way from the
 * text to a piece, for their parts hold no separator any more; sentences are looked
 * for anew in clauses and in words.
 */
enum
{
    PIECE_LEVELS = 7,
};

typedef struct
{
    PieceRules rules;
    const char *start;
    const char *end;
    size_t size;
    Graphemes *graphemes;     /* NULL: a piece may be any character */
    const char *grapheme_end; /* of the one that the last piece ended with or in */
    PieceLevel levels[PIECE_LEVELS];
    int depth;
    bool begun;
} Pieces;

/* The text is borrowed, and so is graphemes, which only corrected rules need. */
void pieces_begin(
    Pieces *pieces, const char *text, size_t size, const PieceRules *rules, Graphemes *graphemes);

/* False after the last. */
bool pieces_next(Pieces *pieces, Piece *piece);
