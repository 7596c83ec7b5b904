/*
 * session.h - what the files of pg/ share of a session; for them alone.
 */
#pragma once

#include "pg/pg.h"

/* What libpq is told to connect with. */
typedef struct
{
    GPtrArray *keywords;
    GPtrArray *values;
} Parameters;

struct Pg
{
    PGconn *conn;
    Cancel *cancel;
    void (*notice)(void *data, const char *message);
    void *notice_data;
    guint notices; /* heard so far */
    const Notes *notes;
    Parameters parameters; /* for the session that looks */
    bool looks;            /* it is that session: nobody looks at it */
    char *blocker;         /* what the statement under way waits for, and whose it is; NULL */
};

/* Sends one statement and waits for its last result, or for the begin of a COPY. */
PGresult *session_execute(Pg *pg, const char *sql, int count, const char *const *parameters);

/* The last result of what was sent; an earlier error wins. */
PGresult *session_collect(Pg *pg);

/* True for a result that is a success of any kind. */
bool session_succeeded(const PGresult *result);

/* The error of a result (NULL: of the connection) as a caller can act on it. */
void session_set_error(Pg *pg, const PGresult *result, GError **error);
