/*
 * pg.h - libpq with owners, errors and a way out.
 *
 * Every call watches the session's cancel: Ctrl-C cancels the running statement on
 * the server too.  A statement that waits for somebody else's lock says so to the notes
 * after a moment, and whose it is.  SQLSTATEs become codes a caller can act on:
 *
 *   VF_ERROR_CONNECT  the session is lost, or the server is not there (yet)
 *   VF_ERROR_BUSY     locks, deadlocks, serialisation, too many connections
 *   VF_ERROR_DENIED   password, role or privilege
 *   VF_ERROR_FAILED   anything else; a full disk says so
 *
 * TLS: without an sslmode of the user's own, servers that are neither on a Unix
 * socket nor on loopback are asked for verify-full with the system's certificates.
 */
#pragma once

#include "base/cancel.h"
#include "base/notes.h"

#include <glib.h>
#include <libpq-fe.h>
#include <stdbool.h>

typedef struct Pg Pg;

typedef struct
{
    const char *url;              /* postgresql://… or key=value */
    const char *application_name; /* shown in pg_stat_activity */

    /* Gives a password for this connection (yours to free), NULL without error for none. */
    char *(*password)(void *data, GError **error);
    void *password_data;

    /* Hears the server's NOTICEs and WARNINGs; NULL: not heard. */
    void (*notice)(void *data, const char *message);
    void *notice_data;

    int lock_timeout_s; /* for one lock, then VF_ERROR_BUSY; 0: no limit */
    const Notes *notes; /* lives as long as the session; NULL: nobody listens */
} PgOptions;

Pg *pg_connect(const PgOptions *options, Cancel *cancel, GError **error);
void pg_close(Pg *pg);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Pg, pg_close)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PGresult, PQclear)

/* The connection address without its password, for messages.  Yours. */
char *pg_address(const char *url);

/* One statement whose rows are wanted; `count` parameters as text (NULL is NULL). */
PGresult *pg_query(
    Pg *pg, const char *sql, int count, const char *const *parameters, GError **error);

/* One or several statements without rows and parameters. */
bool pg_run(Pg *pg, const char *sql, GError **error);

/* One statement with parameters; `rows`, unless NULL, gets the number of rows it changed. */
bool pg_change(
    Pg *pg, const char *sql, int count, const char *const *parameters, gint64 *rows,
    GError **error);

/* Ends an open transaction whatever its state; for clean-up paths, so errors are not told. */
void pg_rollback(Pg *pg);

/* True between BEGIN and COMMIT. */
bool pg_in_transaction(const Pg *pg);

/* False once the session is lost; open another. */
bool pg_alive(const Pg *pg);

int pg_server_version(const Pg *pg); /* 150004 */

/* COPY … FROM STDIN in whole: the statement, its bytes, its end. */
bool pg_copy_in(Pg *pg, const char *sql, const GByteArray *data, gint64 *rows, GError **error);

/* Quotes as an identifier; "schema.table" becomes two.  Yours. */
char *pg_quote_name(const char *name);
char *pg_quote_qualified(const char *name);

/* A field as text ("" for NULL), as a number. */
const char *pg_text(const PGresult *result, int row, int column);
gint64 pg_number(const PGresult *result, int row, int column);
