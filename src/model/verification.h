/*
 * verification.h - what was found when a store was compared with what it should hold.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

/* Every kind but the two of remarks is a difference. */
typedef enum
{
    FINDING_MALFORMED,   /* the catalogue's item cannot be read: nobody knows what is expected */
    FINDING_TWIN,        /* another user's bot has the same id */
    FINDING_INCOMPLETE,  /* the mark says that sources failed */
    FINDING_EDITED,      /* the knowledge is another one than was loaded */
    FINDING_SPACE,       /* its vectors are of another space than most of the store's */
    FINDING_MISSING,     /* knowledge without rows */
    FINDING_COUNT,       /* more or fewer rows than were marked */
    FINDING_BUCKET,      /* the rows name another bucket */
    FINDING_UNNAMED,     /* rows of a source that the bot does not name */
    FINDING_ORPHAN,      /* rows of no bot in the catalogue */
    FINDING_DUPLICATE,   /* loaded more than once */
    FINDING_NULL_BOT,    /* rows without … */
    FINDING_NULL_SOURCE, /* likewise */
    FINDING_NULL_TEXT,
    FINDING_NULL_VECTOR,
    FINDING_ZERO_VECTOR,
    FINDING_DIMENSIONS, /* vectors of other dimensions than most */
    FINDING_LENGTH,     /* vectors not of length 1, where nearly all others are */
    FINDING_REPEATED,   /* a remark: the same text more than once in a source */
    FINDING_UNUSED,     /* a remark: rows that the application does not ask */
} FindingKind;

/* "missing", "null-text", … */
const char *finding_kind_name(FindingKind kind);

/* False for a remark. */
bool finding_is_difference(FindingKind kind);

typedef struct
{
    FindingKind kind;
    char *bot;    /* NULL for rows without one */
    char *source; /* the rows' label; NULL when the bot as a whole is meant */
    gint64 rows;  /* that it is about */
    char *message;
} Finding;

/* One bot, after everything about it was compared. */
typedef struct
{
    char *user; /* "" when the catalogue does not know it, as the title */
    char *bot;
    char *title;
    gint64 rows;
    guint sources;     /* of the catalogue and of the rows together */
    guint differences; /* findings that are no remarks */
} BotVerdict;

typedef struct
{
    char *level; /* how much was compared: "counts" */
    char *store; /* address, without password */
    char *table;
    char *catalogue;     /* NULL: nobody said what should be there */
    bool whole;          /* false when only some bots were asked for */
    gint64 rows;         /* that were compared */
    guint sources;       /* likewise */
    guint differences;   /* findings that are no remarks */
    GPtrArray *bots;     /* of BotVerdict: in the catalogue's order, then by id */
    GPtrArray *findings; /* of Finding, in the order of the bots */
} Verification;

Verification *verification_new(const char *level);
void verification_free(Verification *verification);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Verification, verification_free)

/* The verdict about one more bot, to be filled. */
BotVerdict *verification_add_bot(
    Verification *verification, const char *user, const char *bot, const char *title);

/* Adds a finding and counts it, for `verdict` too unless that is NULL; takes the message. */
void verification_add(
    Verification *verification, BotVerdict *verdict, FindingKind kind, const char *source,
    gint64 rows, char *message);
