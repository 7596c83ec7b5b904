#include "pg/pipe.h"

#include "base/error.h"
#include "pg/session.h"

#include <errno.h>
#include <poll.h>

/* How much waits for the target at most. */
#define BUFFER_BYTES (1024 * 1024)

typedef struct
{
    Pg *from;
    Pg *to;
    const PipeListener *listener;
    GByteArray *buffer; /* read and not handed over yet */
    bool drained;       /* all that has arrived is in the buffer: only the socket can bring more */
    bool read_all;
    bool ended;   /* the target was told that this is all */
    bool pending; /* libpq holds bytes that the target's socket did not take */
    gint64 rows;
} Pipe;

static bool
fail(Pg *pg, const char *what, const PGresult *result, GError **error)
{
    session_set_error(pg, result, error);
    g_prefix_error(error, "%s: ", what);
    return false;
}

static bool
fail_reading(const Pipe *pipe, const PGresult *result, GError **error)
{
    return fail(pipe->from, "the source", result, error);
}

static bool
fail_writing(const Pipe *pipe, const PGresult *result, GError **error)
{
    return fail(pipe->to, "the target", result, error);
}

static bool
begin(Pg *pg, const char *sql, ExecStatusType expected, const char *what, GError **error)
{
    g_autoptr(PGresult) result = session_execute(pg, sql, 0, NULL);
    return PQresultStatus(result) == expected || fail(pg, what, result, error);
}

static bool
end_reading(Pipe *pipe, GError **error)
{
    g_autoptr(PGresult) result = session_collect(pipe->from);

    if (result == NULL || !session_succeeded(result))
        return fail_reading(pipe, result, error);
    pipe->rows = g_ascii_strtoll(PQcmdTuples(result), NULL, 10);
    pipe->read_all = true;
    return true;
}

/* Takes what has arrived, as far as there is room. */
static bool
take(Pipe *pipe, GError **error)
{
    pipe->drained = false;
    while (!pipe->read_all && pipe->buffer->len < BUFFER_BYTES)
    {
        char *row = NULL;
        const int length = PQgetCopyData(pipe->from->conn, &row, 1);
        if (length == 0)
        {
            pipe->drained = true;
            return true;
        }
        if (length < 0)
            return end_reading(pipe, error);
        g_byte_array_append(pipe->buffer, (const guint8 *) row, (guint) length);
        PQfreemem(row);
    }
    return true;
}

static bool
flush(Pipe *pipe, GError **error)
{
    const int left = PQflush(pipe->to->conn);

    pipe->pending = left > 0;
    return left >= 0 || fail_writing(pipe, NULL, error);
}

static bool
put(Pipe *pipe, GError **error)
{
    if (PQputCopyData(pipe->to->conn, (const char *) pipe->buffer->data, (int) pipe->buffer->len) !=
        1)
        return fail_writing(pipe, NULL, error);
    if (pipe->listener->passed != NULL)
        pipe->listener->passed(pipe->listener->data, pipe->buffer->len);
    g_byte_array_set_size(pipe->buffer, 0);
    return true;
}

/* Gives the target the next piece once it has taken the last one. */
static bool
give(Pipe *pipe, GError **error)
{
    if (!flush(pipe, error))
        return false;
    if (pipe->pending || (pipe->buffer->len == 0 && !pipe->read_all))
        return true;
    if (pipe->buffer->len > 0 && !put(pipe, error))
        return false;
    if (pipe->read_all && !pipe->ended)
    {
        if (PQputCopyEnd(pipe->to->conn, NULL) != 1)
            return fail_writing(pipe, NULL, error);
        pipe->ended = true;
    }
    return flush(pipe, error);
}

/*
 * While it takes rows the target says nothing but notices; anything else is the error that its COPY
 * ended with.  libpq would only tell it at the end, after many more rows.
 */
static bool
hear_target(const Pipe *pipe, GError **error)
{
    const guint heard = pipe->to->notices;

    if (PQconsumeInput(pipe->to->conn) == 0)
        return fail_writing(pipe, NULL, error);
    if (pipe->ended || PQputCopyData(pipe->to->conn, "", 0) != 1 || pipe->to->notices != heard)
        return true;
    PQputCopyEnd(pipe->to->conn, "the source is not read any further");
    PQsetnonblocking(pipe->to->conn, 0);
    PQflush(pipe->to->conn);
    g_autoptr(PGresult) result = session_collect(pipe->to);
    return fail_writing(pipe, result, error);
}

static bool
wait_for_sides(const Pipe *pipe, GError **error)
{
    const bool has_room = !pipe->read_all && pipe->buffer->len < BUFFER_BYTES;
    struct pollfd fds[] = {
        {.fd = has_room ? PQsocket(pipe->from->conn) : -1, .events = POLLIN},
        {.fd = PQsocket(pipe->to->conn),
         .events = (short) (POLLIN | (pipe->pending ? POLLOUT : 0))},
        {.fd = cancel_fd(pipe->from->cancel), .events = POLLIN},
    };

    if (poll(fds, G_N_ELEMENTS(fds), -1) < 0 && errno != EINTR)
    {
        g_set_error(error, VF_ERROR, VF_ERROR_FAILED, "poll: %s", g_strerror(errno));
        return false;
    }
    if (!cancel_check(pipe->from->cancel, error))
        return false;
    if (fds[0].revents != 0 && PQconsumeInput(pipe->from->conn) == 0)
        return fail_reading(pipe, NULL, error);
    return (fds[1].revents & ~POLLOUT) == 0 || hear_target(pipe, error);
}

static bool
pass(Pipe *pipe, GError **error)
{
    for (;;)
    {
        if (!take(pipe, error) || !give(pipe, error))
            return false;
        if (pipe->ended && !pipe->pending)
            return true;
        const bool may_take_more = !pipe->drained && !pipe->read_all && pipe->buffer->len == 0;
        if (!may_take_more && !wait_for_sides(pipe, error))
            return false;
    }
}

bool
pipe_pass(
    Pg *from, const char *out, Pg *to, const char *in, const PipeListener *listener, gint64 *rows,
    GError **error)
{
    g_autoptr(GByteArray) buffer = g_byte_array_new();
    Pipe pipe = {.from = from, .to = to, .listener = listener, .buffer = buffer};

    if (!cancel_check(from->cancel, error) || !begin(to, in, PGRES_COPY_IN, "the target", error) ||
        !begin(from, out, PGRES_COPY_OUT, "the source", error))
        return false;
    PQsetnonblocking(to->conn, 1);
    const bool passed = pass(&pipe, error);
    PQsetnonblocking(to->conn, 0);
    *rows = pipe.rows;
    return passed;
}

bool
pipe_end(Pg *to, gint64 *rows, GError **error)
{
    g_autoptr(PGresult) result = session_collect(to);

    if (result == NULL || !session_succeeded(result))
        return fail(to, "the target", result, error);
    *rows = g_ascii_strtoll(PQcmdTuples(result), NULL, 10);
    return true;
}
