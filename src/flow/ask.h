/*
 * ask.h - one question to one bot's knowledge, by the application's own query.
 */
#pragma once

#include "base/cancel.h"
#include "base/notes.h"
#include "base/settings.h"
#include "model/answer.h"

typedef struct
{
    const char *bot;
    const char *question;
    int limit;  /* answers at most */
    bool force; /* ask even when the rows are of another space than the question */

    const Notes *notes; /* for the person who asks */
} AskOptions;

typedef struct
{
    char *store;        /* address, without password */
    char *space;        /* of the question's vector */
    char *rows_space;   /* of the rows, by their mark; NULL when they have none */
    gint64 rows;        /* that the bot has */
    gint64 tokens;      /* that were billed */
    GPtrArray *answers; /* of Answer, the best first */
} Reply;

void reply_free(Reply *reply);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Reply, reply_free)

/*
 * VF_ERROR_FAILED when the bot has no rows, VF_ERROR_MISMATCH when its vectors cannot be compared
 * with the question's; both before anything is paid for.  Yours.
 */
Reply *flow_ask(
    const Settings *settings, const AskOptions *options, Cancel *cancel, GError **error);
