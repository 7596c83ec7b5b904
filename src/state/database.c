#include "state/database.h"

#include "base/error.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#define BUSY_TIMEOUT_MS 30000
#define WAL_PAUSE_MS 10

static void
set_database_error(sqlite3 *database, GError **error)
{
    const int code = sqlite3_errcode(database);
    g_set_error(
        error, VF_ERROR, code == SQLITE_BUSY ? VF_ERROR_BUSY : VF_ERROR_FAILED,
        "the ledger \"%s\": %s", sqlite3_db_filename(database, "main"), sqlite3_errmsg(database));
    if (code == SQLITE_FULL || code == SQLITE_IOERR)
        vf_error_hint(error, "make room on the disk, or choose another folder with --state");
}

/* SQLite would make it readable for everybody. */
static bool
make_private_file(const char *path, GError **error)
{
    const int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd >= 0)
    {
        close(fd);
        return true;
    }
    g_set_error(
        error, VF_ERROR, VF_ERROR_FAILED, "could not write the ledger \"%s\": %s", path,
        g_strerror(errno));
    vf_error_hint(error, "choose another folder with --state");
    return false;
}

static sqlite3 *
open_with_flags(const char *path, int flags, GError **error)
{
    sqlite3 *opened = NULL;
    const int code = sqlite3_open_v2(path, &opened, flags, NULL);
    g_autoptr(sqlite3) database = opened;

    if (code != SQLITE_OK)
    {
        g_set_error(
            error, VF_ERROR, VF_ERROR_FAILED, "could not open the ledger \"%s\": %s", path,
            sqlite3_errstr(code));
        return NULL;
    }
    sqlite3_busy_timeout(database, BUSY_TIMEOUT_MS);
    return g_steal_pointer(&database);
}

/*
 * The switch to write-ahead logging, and the recovery of a log that somebody left, take locks that
 * SQLite does not wait for (sqlite.org, wal.html, "Sometimes Queries Return SQLITE_BUSY In WAL
 * Mode"): when several processes begin at once, so it is waited for here.
 */
static bool
switch_to_wal(sqlite3 *database, GError **error)
{
    for (int waited_ms = 0;; waited_ms += WAL_PAUSE_MS)
    {
        g_autoptr(GError) problem = NULL;
        if (database_run(database, "PRAGMA journal_mode = WAL", &problem))
            return true;
        if (!g_error_matches(problem, VF_ERROR, VF_ERROR_BUSY) || waited_ms > BUSY_TIMEOUT_MS)
        {
            g_propagate_error(error, g_steal_pointer(&problem));
            return false;
        }
        g_usleep(WAL_PAUSE_MS * 1000);
    }
}

sqlite3 *
database_open(const char *path, bool durable, GError **error)
{
    if (!make_private_file(path, error))
        return NULL;
    g_autoptr(sqlite3) database = open_with_flags(path, SQLITE_OPEN_READWRITE, error);
    if (database == NULL || !switch_to_wal(database, error) ||
        !database_run(
            database, durable ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = NORMAL", error))
        return NULL;
    return g_steal_pointer(&database);
}

sqlite3 *
database_open_read_only(const char *path, GError **error)
{
    return open_with_flags(path, SQLITE_OPEN_READONLY, error);
}

bool
database_run(sqlite3 *database, const char *sql, GError **error)
{
    if (sqlite3_exec(database, sql, NULL, NULL, NULL) == SQLITE_OK)
        return true;
    set_database_error(database, error);
    return false;
}

static void
bind_all(sqlite3_stmt *statement, const char *types, va_list args)
{
    for (int i = 0; types[i] != '\0'; i++)
    {
        const int place = i + 1;
        switch (types[i])
        {
        case 's':
            sqlite3_bind_text(statement, place, va_arg(args, const char *), -1, SQLITE_TRANSIENT);
            break;
        case 'i':
            sqlite3_bind_int64(statement, place, va_arg(args, gint64));
            break;
        case 'd':
            sqlite3_bind_double(statement, place, va_arg(args, double));
            break;
        default:
            g_assert_not_reached();
        }
    }
}

static sqlite3_stmt *
prepare(sqlite3 *database, GError **error, const char *sql, const char *types, va_list args)
{
    sqlite3_stmt *statement = NULL;
    if (sqlite3_prepare_v2(database, sql, -1, &statement, NULL) != SQLITE_OK)
    {
        set_database_error(database, error);
        return NULL;
    }
    bind_all(statement, types, args);
    return statement;
}

sqlite3_stmt *
database_prepare(sqlite3 *database, GError **error, const char *sql, const char *types, ...)
{
    va_list args;
    va_start(args, types);
    sqlite3_stmt *statement = prepare(database, error, sql, types, args);
    va_end(args);
    return statement;
}

bool
database_change(sqlite3 *database, GError **error, const char *sql, const char *types, ...)
{
    va_list args;
    va_start(args, types);
    g_autoptr(sqlite3_stmt) statement = prepare(database, error, sql, types, args);
    va_end(args);

    if (statement == NULL)
        return false;
    if (sqlite3_step(statement) == SQLITE_DONE)
        return true;
    set_database_error(database, error);
    return false;
}

bool
database_step(sqlite3 *database, sqlite3_stmt *statement, GError **error)
{
    const int code = sqlite3_step(statement);
    if (code == SQLITE_ROW)
        return true;
    if (code != SQLITE_DONE)
        set_database_error(database, error);
    return false;
}

char *
database_text_or_null(sqlite3_stmt *statement, int column)
{
    return g_strdup((const char *) sqlite3_column_text(statement, column));
}

char *
database_text(sqlite3_stmt *statement, int column)
{
    char *text = database_text_or_null(statement, column);
    return text != NULL ? text : g_strdup("");
}
