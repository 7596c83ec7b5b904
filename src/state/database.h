/*
 * database.h - SQLite with owners and our errors.
 */
#pragma once

#include <glib.h>
#include <sqlite3.h>
#include <stdbool.h>

G_DEFINE_AUTOPTR_CLEANUP_FUNC(sqlite3, sqlite3_close)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(sqlite3_stmt, sqlite3_finalize)

/*
 * Opens or makes the file, of mode 0600, in write-ahead mode; several processes may.  With
 * `durable` a commit survives a power cut, otherwise only the death of processes.
 */
sqlite3 *database_open(const char *path, bool durable, GError **error);

/* Opens a file that must be there, for reading. */
sqlite3 *database_open_read_only(const char *path, GError **error);

bool database_run(sqlite3 *database, const char *sql, GError **error);

/*
 * A statement with its parameters bound: one letter of `types` each, 's' for const char *
 * (NULL is NULL), 'i' for gint64, 'd' for double.
 */
sqlite3_stmt *database_prepare(
    sqlite3 *database, GError **error, const char *sql, const char *types, ...);

/* The same, carried out; for statements without rows. */
bool database_change(sqlite3 *database, GError **error, const char *sql, const char *types, ...);

/* True with a row; false at the end or on an error, which is set. */
bool database_step(sqlite3 *database, sqlite3_stmt *statement, GError **error);

/* A column's text ("" for NULL), yours. */
char *database_text(sqlite3_stmt *statement, int column);
/* NULL stays NULL. */
char *database_text_or_null(sqlite3_stmt *statement, int column);
