#include "pg/pg.h"

#include "base/error.h"
#include "pg/blocked_by.sql.h"
#include "pg/session.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CONNECT_TIMEOUT_MS 15000

/* Chunks in which COPY data is handed to libpq, so that a cancel is seen between them. */
#define COPY_SLICE (256 * 1024)

/* A statement that is not done by then may wait for somebody's lock: another session looks.  Then
 * ever more seldom. */
#define LOOK_MS 2000
#define LOOK_AGAIN_MS 60000

static char *
one_line(const char *message)
{
    g_autofree char *text = g_strdup(message == NULL ? "" : message);
    g_strdelimit(text, "\n\r\t", ' ');
    while (strstr(text, "  ") != NULL)
        memmove(strstr(text, "  "), strstr(text, "  ") + 1, strlen(strstr(text, "  ")));
    g_strstrip(text);
    if (g_str_has_prefix(text, "ERROR: "))
        memmove(text, text + 7, strlen(text + 7) + 1);
    if (g_str_has_prefix(text, "FATAL: "))
        memmove(text, text + 7, strlen(text + 7) + 1);
    return g_steal_pointer(&text);
}

#define DISK_FULL "53100"
#define LOCK_NOT_AVAILABLE "55P03"
#define HINT_DISK_FULL "the server's disk is full: make room there, then run the same command again"

/*
 * What a caller can do about this SQLSTATE (PostgreSQL manual, appendix A).  A full disk is one
 * for all, and only a person makes room.
 */
static VfError
code_of_state(const char *state)
{
    if (g_strcmp0(state, DISK_FULL) == 0)
        return VF_ERROR_DENIED;
    if (state == NULL || g_str_has_prefix(state, "08") || g_str_has_prefix(state, "57P"))
        return VF_ERROR_CONNECT;
    if (g_str_has_prefix(state, "28") || g_str_equal(state, "42501") || g_str_equal(state, "25006"))
        return VF_ERROR_DENIED;
    if (g_str_equal(state, "53300") || g_str_equal(state, LOCK_NOT_AVAILABLE) ||
        g_str_has_prefix(state, "40"))
        return VF_ERROR_BUSY;
    return VF_ERROR_FAILED;
}

static const char *
hint_of_state(const char *state)
{
    if (g_strcmp0(state, DISK_FULL) == 0)
        return HINT_DISK_FULL;
    if (g_strcmp0(state, "42501") == 0)
        return "grant the privilege to the role, or connect as another one";
    if (g_strcmp0(state, "25006") == 0)
        return "the server is read-only: connect to the writer";
    if (g_strcmp0(state, LOCK_NOT_AVAILABLE) == 0)
        return "end the session that has the lock, or wait for its end (--lock-timeout) and run "
               "the "
               "same command again";
    return NULL;
}

void
session_set_error(Pg *pg, const PGresult *result, GError **error)
{
    const char *state = result == NULL ? NULL : PQresultErrorField(result, PG_DIAG_SQLSTATE);
    const char *primary =
        result == NULL ? NULL : PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
    const char *detail = result == NULL ? NULL : PQresultErrorField(result, PG_DIAG_MESSAGE_DETAIL);
    g_autofree char *message = one_line(primary != NULL ? primary : PQerrorMessage(pg->conn));
    /* A server that cannot write its log falls down, and says why before. */
    const bool lost = PQstatus(pg->conn) != CONNECTION_OK && g_strcmp0(state, DISK_FULL) != 0;

    if (cancel_requested(pg->cancel))
    {
        g_set_error_literal(error, VF_ERROR, VF_ERROR_CANCELLED, "interrupted");
        return;
    }
    if (g_strcmp0(state, LOCK_NOT_AVAILABLE) == 0 && pg->blocker != NULL)
    {
        g_free(message);
        message = g_strconcat("waited in vain for ", pg->blocker, NULL);
    }
    g_set_error(
        error, VF_ERROR, (int) (lost ? VF_ERROR_CONNECT : code_of_state(state)), "%s%s%s%s",
        message, detail == NULL ? "" : " (", detail == NULL ? "" : detail,
        detail == NULL ? "" : ")");
    const char *hint = hint_of_state(state);
    if (hint != NULL)
        vf_error_hint(error, "%s", hint);
}

static void
receive_notice(void *data, const PGresult *result)
{
    Pg *pg = data;
    pg->notices++;
    if (pg->notice == NULL)
        return;
    g_autofree char *message = one_line(PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY));
    pg->notice(pg->notice_data, message);
}

/* Waits until libpq's socket is ready; false when the stop was asked for or time is up. */
static bool
wait_socket(PGconn *conn, short events, Cancel *cancel, int timeout_ms)
{
    struct pollfd fds[2] = {
        {.fd = PQsocket(conn), .events = events},
        {.fd = cancel_fd(cancel), .events = POLLIN},
    };
    for (;;)
    {
        const int ready = poll(fds, 2, timeout_ms);
        if (ready < 0 && errno == EINTR)
            continue;
        return ready > 0 && fds[1].revents == 0;
    }
}

static bool
is_local(const char *host)
{
    return host == NULL || *host == '\0' || *host == '/' || *host == '@' ||
           g_str_equal(host, "localhost") || g_str_has_prefix(host, "127.") ||
           g_str_equal(host, "::1");
}

static const char *
option_value(const PQconninfoOption *options, const char *keyword)
{
    for (const PQconninfoOption *option = options; option->keyword != NULL; option++)
        if (g_str_equal(option->keyword, keyword))
            return option->val;
    return NULL;
}

static void
parameters_add(Parameters *parameters, const char *keyword, const char *value)
{
    g_ptr_array_add(parameters->keywords, g_strdup(keyword));
    g_ptr_array_add(parameters->values, g_strdup(value));
}

static void
parameters_clear(Parameters *parameters)
{
    g_clear_pointer(&parameters->keywords, g_ptr_array_unref);
    g_clear_pointer(&parameters->values, g_ptr_array_unref);
}

static void
add_default(
    Parameters *parameters, const PQconninfoOption *given, const char *keyword, const char *value)
{
    if (option_value(given, keyword) == NULL)
        parameters_add(parameters, keyword, value);
}

/* TLS as the header says, unless the address or the environment decide themselves. */
static void
add_tls(Parameters *parameters, const PQconninfoOption *given)
{
    static const char SYSTEM_CERTIFICATES[] = "/etc/ssl/certs/ca-certificates.crt";
    const char *host = option_value(given, "host");
    const char *mode = option_value(given, "sslmode");

    if (host == NULL)
        host = g_getenv("PGHOST");
    if (mode != NULL || g_getenv("PGSSLMODE") != NULL || is_local(host))
        return;
    parameters_add(parameters, "sslmode", "verify-full");
    if (option_value(given, "sslrootcert") == NULL && g_getenv("PGSSLROOTCERT") == NULL &&
        access(SYSTEM_CERTIFICATES, R_OK) == 0)
        parameters_add(parameters, "sslrootcert", SYSTEM_CERTIFICATES);
}

/*
 * libpq ends the user's part of a URI at the first '@', and does not look for one behind a '/'.  A
 * bare one in a password makes the password's end a host or database, which every message names.
 */
static bool
has_bare_sign(const char *url)
{
    const char *scheme = strstr(url, "://");
    if (scheme == NULL ||
        (!g_str_has_prefix(url, "postgresql://") && !g_str_has_prefix(url, "postgres://")))
        return false;

    const char *user = scheme + strlen("://");
    const char *end = user + strcspn(user, "@/");
    const char *rest = *end == '@' ? end + 1 : user;
    return memchr(rest, '@', strcspn(rest, "?")) != NULL;
}

/* What libpq understands of the address; NULL when nothing, or when it would misunderstand. */
static PQconninfoOption *
parse_address(const char *url)
{
    PQconninfoOption *options = has_bare_sign(url) ? NULL : PQconninfoParse(url, NULL);
    const char *name = options == NULL ? NULL : option_value(options, "dbname");

    /* A whole address in place of a name is one for psql only. */
    if (name == NULL || strstr(name, "://") == NULL)
        return options;
    PQconninfoFree(options);
    return NULL;
}

static void
set_address_error(const char *url, GError **error)
{
    /* Never libpq's own message: it may quote the address with its password. */
    g_set_error_literal(
        error, VF_ERROR, VF_ERROR_USAGE, "the connection address is not understood");
    if (has_bare_sign(url))
        vf_error_hint(error, "'@' and '/' in a user or password are written %%40 and %%2F");
    else
        vf_error_hint(
            error, "it should be postgresql://user@host:5432/database or host=… dbname=…");
}

static bool
collect_parameters(const PgOptions *options, Parameters *parameters, GError **error)
{
    PQconninfoOption *given = parse_address(options->url);

    if (given == NULL)
    {
        set_address_error(options->url, error);
        return false;
    }
    for (const PQconninfoOption *option = given; option->keyword != NULL; option++)
        if (option->val != NULL)
            parameters_add(parameters, option->keyword, option->val);

    add_tls(parameters, given);
    add_default(parameters, given, "application_name", options->application_name);
    add_default(parameters, given, "keepalives_idle", "30");
    add_default(parameters, given, "tcp_user_timeout", "60000");
    parameters_add(parameters, "client_encoding", "UTF8");

    if (options->password != NULL && option_value(given, "password") == NULL)
    {
        g_autoptr(GError) cause = NULL;
        g_autofree char *password = options->password(options->password_data, &cause);
        if (password != NULL)
            parameters_add(parameters, "password", password);
        if (cause != NULL)
        {
            PQconninfoFree(given);
            g_propagate_error(error, g_steal_pointer(&cause));
            return false;
        }
    }
    PQconninfoFree(given);
    g_ptr_array_add(parameters->keywords, NULL);
    g_ptr_array_add(parameters->values, NULL);
    return true;
}

/* Drives the connection to its end; PQstatus() then tells. */
static bool
poll_connection(PGconn *conn, Cancel *cancel, GError **error)
{
    const gint64 end = g_get_monotonic_time() + CONNECT_TIMEOUT_MS * 1000L;
    PostgresPollingStatusType state = PGRES_POLLING_WRITING;

    while (state != PGRES_POLLING_OK && state != PGRES_POLLING_FAILED)
    {
        const gint64 left_ms = (end - g_get_monotonic_time()) / 1000;
        const short events = state == PGRES_POLLING_READING ? POLLIN : POLLOUT;
        if (left_ms <= 0 || !wait_socket(conn, events, cancel, (int) left_ms))
        {
            if (!cancel_check(cancel, error))
                return false;
            g_set_error(
                error, VF_ERROR, VF_ERROR_CONNECT, "no answer within %d seconds",
                CONNECT_TIMEOUT_MS / 1000);
            return false;
        }
        state = PQconnectPoll(conn);
    }
    return true;
}

/* libpq gives no SQLSTATE for a failed connection: the words must do. */
static VfError
code_of_connect_message(const char *message)
{
    static const char *const DENIED[] = {
        "authentication failed",
        "no password supplied",
        "does not exist",
        "no pg_hba.conf entry",
        "permission denied",
        "certificate",
        "SSL",
        "No space left on device",
        NULL};

    if (strstr(message, "No such file") != NULL || strstr(message, "starting up") != NULL ||
        strstr(message, "shutting down") != NULL || strstr(message, "recovery mode") != NULL ||
        strstr(message, "Connection refused") != NULL)
        return VF_ERROR_CONNECT;
    if (strstr(message, "too many") != NULL ||
        strstr(message, "remaining connection slots") != NULL)
        return VF_ERROR_BUSY;
    for (size_t i = 0; DENIED[i] != NULL; i++)
        if (strstr(message, DENIED[i]) != NULL)
            return VF_ERROR_DENIED;
    return VF_ERROR_CONNECT;
}

static void
set_connect_error(PGconn *conn, GError **error)
{
    g_autofree char *message = one_line(PQerrorMessage(conn));
    const VfError code = code_of_connect_message(message);

    g_set_error_literal(error, VF_ERROR, (int) code, message);
    if (strstr(message, "no password supplied") != NULL)
        vf_error_hint(
            error, "put the password into ~/.pgpass (mode 0600) or the variable PGPASSWORD");
    else if (strstr(message, "No space left on device") != NULL)
        vf_error_hint(error, HINT_DISK_FULL);
    else if (strstr(message, "certificate") != NULL || strstr(message, "SSL") != NULL)
        vf_error_hint(
            error, "name the authority's file with sslrootcert=FILE in the address; "
                   "sslmode=… there changes what is asked for");
    else if (code == VF_ERROR_CONNECT)
        vf_error_hint(error, "check host and port, and that the server runs and may be reached");
}

/*
 * A session whose program was killed shall end soon, also in the middle of a long statement or a
 * wait: it holds locks that the next worker wants.  Not every server can (PostgreSQL 14 and Linux),
 * and none must.
 */
static void
notice_our_death(Pg *pg)
{
    pg_run(pg, "SET client_connection_check_interval = 500", NULL);
}

/* One session; nothing is set in it yet. */
static bool
open_session(Pg *pg, GError **error)
{
    pg->conn = PQconnectStartParams(
        (const char *const *) pg->parameters.keywords->pdata,
        (const char *const *) pg->parameters.values->pdata, 0);
    if (pg->conn == NULL)
        g_error("out of memory");

    if (PQstatus(pg->conn) != CONNECTION_BAD && !poll_connection(pg->conn, pg->cancel, error))
        return false;
    if (PQstatus(pg->conn) != CONNECTION_OK)
    {
        set_connect_error(pg->conn, error);
        return false;
    }
    PQsetNoticeReceiver(pg->conn, receive_notice, pg);
    return true;
}

static bool
prepare_session(Pg *pg, int lock_timeout_s, GError **error)
{
    g_autofree char *sql = g_strdup_printf(
        "SET statement_timeout = 0; SET lock_timeout = '%ds'; "
        "SET idle_in_transaction_session_timeout = 0; SET bytea_output = 'hex'; "
        "SET DateStyle = 'ISO'; SET TimeZone = 'UTC'; SET standard_conforming_strings = on",
        lock_timeout_s);
    return pg_run(pg, sql, error);
}

Pg *
pg_connect(const PgOptions *options, Cancel *cancel, GError **error)
{
    g_autofree char *address = pg_address(options->url);
    g_autoptr(Pg) pg = g_new0(Pg, 1);

    pg->cancel = cancel;
    pg->notice = options->notice;
    pg->notice_data = options->notice_data;
    pg->notes = options->notes;
    pg->parameters.keywords = g_ptr_array_new_with_free_func(g_free);
    pg->parameters.values = g_ptr_array_new_with_free_func(g_free);
    if (!collect_parameters(options, &pg->parameters, error))
        return NULL;
    if (!open_session(pg, error))
    {
        g_prefix_error(error, "could not connect to %s: ", address);
        return NULL;
    }
    if (!prepare_session(pg, options->lock_timeout_s, error))
    {
        g_prefix_error(error, "could not prepare the session with %s: ", address);
        return NULL;
    }
    notice_our_death(pg);
    return g_steal_pointer(&pg);
}

void
pg_close(Pg *pg)
{
    if (pg == NULL)
        return;
    PQfinish(pg->conn);
    if (!pg->looks)
        parameters_clear(&pg->parameters);
    g_free(pg->blocker);
    g_free(pg);
}

char *
pg_address(const char *url)
{
    PQconninfoOption *options = parse_address(url);
    if (options == NULL)
        return g_strdup("the database");

    const char *host = option_value(options, "host");
    const char *port = option_value(options, "port");
    const char *name = option_value(options, "dbname");
    const char *service = option_value(options, "service");
    g_autofree char *address = g_strdup_printf(
        "database \"%s\" at %s%s%s",
        name != NULL      ? name
        : service != NULL ? service
                          : "(default)",
        host != NULL ? host : "the local socket", port != NULL ? ":" : "",
        port != NULL ? port : "");
    PQconninfoFree(options);
    return g_steal_pointer(&address);
}

/* Tells the server to stop; its answer is the error that comes next. */
static void
cancel_statement(Pg *pg)
{
    char problem[256];
    PGcancel *request = PQgetCancel(pg->conn);
    if (request == NULL)
        return;
    PQcancel(request, problem, sizeof problem);
    PQfreeCancel(request);
}

/* What the session waits for, and who has it; NULL: it waits for nobody, or nobody can tell. */
static char *
find_blocker(const Pg *waiting)
{
    g_autoptr(Pg) pg = g_new0(Pg, 1);
    g_autofree char *pid = g_strdup_printf("%d", PQbackendPID(waiting->conn));
    const char *parameters[] = {pid};

    pg->looks = true;
    pg->cancel = waiting->cancel;
    pg->parameters = waiting->parameters;
    g_autoptr(PGresult) found =
        open_session(pg, NULL) ? pg_query(pg, SQL_BLOCKED_BY, 1, parameters, NULL) : NULL;
    if (found == NULL || PQntuples(found) == 0)
        return NULL;
    const char *table = pg_text(found, 0, 0);
    const char *name = pg_text(found, 0, 2);
    return g_strdup_printf(
        "a lock on %s, held by pid %s%s%s%s", *table == '\0' ? "a row" : table,
        pg_text(found, 0, 1), *name == '\0' ? "" : " (", name, *name == '\0' ? "" : ")");
}

static void
look_for_blocker(Pg *pg)
{
    g_autofree char *blocker = pg->looks ? NULL : find_blocker(pg);

    if (blocker == NULL || g_strcmp0(blocker, pg->blocker) == 0)
        return;
    notes_say(pg->notes, "waiting for %s", blocker);
    g_free(pg->blocker);
    pg->blocker = g_steal_pointer(&blocker);
}

/* Waits until the server has something to say.  False when it should be asked to stop. */
static bool
wait_for_answer(Pg *pg)
{
    for (int wait_ms = LOOK_MS;; wait_ms = MIN(wait_ms * 2, LOOK_AGAIN_MS))
    {
        if (wait_socket(pg->conn, POLLIN, pg->cancel, wait_ms))
            return true;
        if (cancel_requested(pg->cancel))
            return false;
        look_for_blocker(pg);
    }
}

/* Waits for the next result; NULL at the end.  On the stop it cancels once and goes on. */
static PGresult *
next_result(Pg *pg, bool *cancelled)
{
    while (PQisBusy(pg->conn))
    {
        if (*cancelled && !wait_socket(pg->conn, POLLIN, NULL, 5000))
            return NULL;
        if (!*cancelled && !wait_for_answer(pg))
        {
            *cancelled = true;
            cancel_statement(pg);
            continue;
        }
        if (PQconsumeInput(pg->conn) == 0)
            return PQgetResult(pg->conn);
    }
    return PQgetResult(pg->conn);
}

PGresult *
session_collect(Pg *pg)
{
    PGresult *last = NULL;
    bool cancelled = false;

    for (;;)
    {
        PGresult *result = next_result(pg, &cancelled);
        if (result == NULL)
            return last;
        const ExecStatusType status = PQresultStatus(result);
        if (last != NULL && PQresultStatus(last) == PGRES_FATAL_ERROR)
            PQclear(result);
        else
        {
            PQclear(last);
            last = result;
        }
        if (status == PGRES_COPY_IN || status == PGRES_COPY_OUT)
            return last;
    }
}

PGresult *
session_execute(Pg *pg, const char *sql, int count, const char *const *parameters)
{
    g_clear_pointer(&pg->blocker, g_free);
    const int sent = count == 0
                         ? PQsendQuery(pg->conn, sql)
                         : PQsendQueryParams(pg->conn, sql, count, NULL, parameters, NULL, NULL, 0);
    return sent ? session_collect(pg) : NULL;
}

bool
session_succeeded(const PGresult *result)
{
    const ExecStatusType status = PQresultStatus(result);
    return status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK || status == PGRES_EMPTY_QUERY;
}

PGresult *
pg_query(Pg *pg, const char *sql, int count, const char *const *parameters, GError **error)
{
    if (!cancel_check(pg->cancel, error))
        return NULL;
    g_autoptr(PGresult) result = session_execute(pg, sql, count, parameters);
    if (result == NULL || !session_succeeded(result))
    {
        session_set_error(pg, result, error);
        return NULL;
    }
    return g_steal_pointer(&result);
}

bool
pg_run(Pg *pg, const char *sql, GError **error)
{
    g_autoptr(PGresult) result = pg_query(pg, sql, 0, NULL, error);
    return result != NULL;
}

static gint64
rows_changed(PGresult *result)
{
    return g_ascii_strtoll(PQcmdTuples(result), NULL, 10);
}

bool
pg_change(
    Pg *pg, const char *sql, int count, const char *const *parameters, gint64 *rows, GError **error)
{
    g_autoptr(PGresult) result = pg_query(pg, sql, count, parameters, error);
    if (result == NULL)
        return false;
    if (rows != NULL)
        *rows = rows_changed(result);
    return true;
}

void
pg_rollback(Pg *pg)
{
    if (!pg_alive(pg) || PQtransactionStatus(pg->conn) == PQTRANS_IDLE)
        return;
    PQclear(session_execute(pg, "ROLLBACK", 0, NULL));
}

bool
pg_in_transaction(const Pg *pg)
{
    return PQtransactionStatus(pg->conn) != PQTRANS_IDLE;
}

bool
pg_alive(const Pg *pg)
{
    return PQstatus(pg->conn) == CONNECTION_OK;
}

int
pg_server_version(const Pg *pg)
{
    return PQserverVersion(pg->conn);
}

bool
pg_copy_in(Pg *pg, const char *sql, const GByteArray *data, gint64 *rows, GError **error)
{
    if (!cancel_check(pg->cancel, error))
        return false;
    g_autoptr(PGresult) start = session_execute(pg, sql, 0, NULL);
    if (PQresultStatus(start) != PGRES_COPY_IN)
    {
        session_set_error(pg, start, error);
        return false;
    }

    bool sent = true;
    for (guint at = 0; sent && at < data->len && !cancel_requested(pg->cancel); at += COPY_SLICE)
        sent = PQputCopyData(
                   pg->conn, (const char *) data->data + at,
                   (int) MIN(data->len - at, COPY_SLICE)) == 1;
    PQputCopyEnd(pg->conn, cancel_requested(pg->cancel) ? "interrupted" : NULL);

    g_autoptr(PGresult) result = session_collect(pg);
    if (!sent || result == NULL || !session_succeeded(result))
    {
        session_set_error(pg, result, error);
        return false;
    }
    if (rows != NULL)
        *rows = rows_changed(result);
    return true;
}

char *
pg_quote_name(const char *name)
{
    g_auto(GStrv) parts = g_strsplit(name, "\"", -1);
    g_autofree char *doubled = g_strjoinv("\"\"", parts);
    return g_strdup_printf("\"%s\"", doubled);
}

char *
pg_quote_qualified(const char *name)
{
    const char *dot = strchr(name, '.');
    if (dot == NULL)
        return pg_quote_name(name);

    g_autofree char *schema = g_strndup(name, (size_t) (dot - name));
    g_autofree char *quoted_schema = pg_quote_name(schema);
    g_autofree char *quoted_table = pg_quote_name(dot + 1);
    return g_strconcat(quoted_schema, ".", quoted_table, NULL);
}

const char *
pg_text(const PGresult *result, int row, int column)
{
    return PQgetvalue(result, row, column);
}

gint64
pg_number(const PGresult *result, int row, int column)
{
    return g_ascii_strtoll(PQgetvalue(result, row, column), NULL, 10);
}
