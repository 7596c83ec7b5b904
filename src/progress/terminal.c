/*
 * terminal.c - a run as a picture that is drawn again in its place.
 *
 * One picture is one write(): the cursor goes up to where the last picture began, each
 * line is written over the old one and its rest cleared, then all below.  The same write()
 * hides the cursor at its beginning and shows it at its end, so between two pictures the
 * terminal is in its usual state, whatever happens to us.
 *
 * The size is asked for before each picture.  When the terminal became narrower, most
 * terminals have wrapped the old lines, so the way up is longer by as much.
 */
#include "base/text.h"
#include "progress/frame.h"
#include "progress/renderer.h"

#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define DRAW_EVERY_US (G_USEC_PER_SEC / 10)

#define USUAL_COLUMNS 80
#define USUAL_ROWS 24

/* Synchronised output (unknown to old terminals, which ignore it), no cursor, no wrapping. */
#define BEGIN_DRAWING "\033[?2026h\033[?25l\033[?7l"
#define END_DRAWING "\033[J\033[?7h\033[?25h\033[?2026l"
#define WRAP "\033[?7h"
#define DO_NOT_WRAP "\033[?7l"
#define CLEAR_BELOW "\033[J"
#define END_LINE "\033[K\r\n"

static const char *const COLOURS[] = {
    [TONE_PLAIN] = "",
    [TONE_STRONG] = "\033[1m",
    [TONE_BAD] = "\033[31m",
    [TONE_FAINT] = "\033[2m",
};

typedef struct
{
    Renderer base;
    int fd;
    bool colour;
    bool wraps_again; /* lines that were drawn wrap when the terminal becomes narrower */
    Rate rate;
    gint64 drawn_us;
    GPtrArray *lines; /* of FrameLine: what stands on the terminal; NULL nothing of ours */
    guint columns;    /* of the terminal when it was drawn */
    GString *notes;   /* that wait to be drawn */
    struct sigaction former;
} TerminalRenderer;

/* What the signal handler may touch: we were stopped, and others used the terminal. */
static volatile sig_atomic_t continued;

static void
on_continue(int number)
{
    (void) number;
    continued = 1;
}

static struct winsize
terminal_size(int fd)
{
    struct winsize size = {0};
    if (ioctl(fd, TIOCGWINSZ, &size) != 0 || size.ws_col == 0 || size.ws_row == 0)
        return (struct winsize){.ws_col = USUAL_COLUMNS, .ws_row = USUAL_ROWS};
    return size;
}

/* These leave lines as they are when they become narrower; all others wrap them. */
static bool
is_known_to_wrap_again(void)
{
    const char *terminal = g_getenv("TERM");
    return g_getenv("XTERM_VERSION") == NULL && g_strcmp0(terminal, "linux") != 0 &&
           (terminal == NULL || !g_str_has_prefix(terminal, "rxvt"));
}

static bool
is_colour_wanted(void)
{
    const char *refusal = g_getenv("NO_COLOR");
    return refusal == NULL || *refusal == '\0';
}

/* Whoever runs in the background (Ctrl-Z, bg) does not draw over what others write. */
static bool
is_in_background(int fd)
{
    const pid_t foreground = tcgetpgrp(fd);
    return foreground > 0 && foreground != getpgrp();
}

/* A terminal that was halted (Ctrl-S) must not halt the run. */
static bool
takes_bytes(int fd)
{
    struct pollfd wish = {.fd = fd, .events = POLLOUT};
    return poll(&wish, 1, 0) == 1 && (wish.revents & POLLOUT) != 0;
}

static void
forget_picture(TerminalRenderer *self)
{
    g_clear_pointer(&self->lines, g_ptr_array_unref);
}

/* How many rows up the picture on the terminal begins. */
static guint
rows_of_picture(const TerminalRenderer *self, guint columns)
{
    guint rows = 0;

    if (self->lines == NULL)
        return 0;
    if (columns >= self->columns || !self->wraps_again)
        return self->lines->len;
    for (guint i = 0; i < self->lines->len; i++)
    {
        const FrameLine *line = self->lines->pdata[i];
        rows += MAX((text_columns(line->text) + columns - 1) / columns, 1);
    }
    return rows;
}

static void
add_line(const TerminalRenderer *self, GString *bytes, const FrameLine *line)
{
    const char *colour = self->colour ? COLOURS[line->tone] : "";
    g_string_append_printf(
        bytes, "%s%s%s" END_LINE, colour, line->text, *colour == '\0' ? "" : "\033[0m");
}

/* Draws the notes that wait, and the picture below them.  Takes the lines. */
static void
draw(TerminalRenderer *self, GPtrArray *lines, guint columns)
{
    g_autoptr(GString) bytes = g_string_new(BEGIN_DRAWING "\r");
    const guint up = rows_of_picture(self, columns);

    if (up > 0)
        g_string_append_printf(bytes, "\033[%uA", up);
    if (self->notes->len > 0)
        g_string_append_printf(bytes, CLEAR_BELOW WRAP "%s" DO_NOT_WRAP, self->notes->str);
    for (guint i = 0; lines != NULL && i < lines->len; i++)
        add_line(self, bytes, lines->pdata[i]);
    g_string_append(bytes, END_DRAWING);

    renderer_write(self->fd, bytes->str);
    g_string_truncate(self->notes, 0);
    if (lines != self->lines)
        forget_picture(self);
    self->lines = lines;
    self->columns = columns;
}

static bool
may_draw(TerminalRenderer *self)
{
    if (is_in_background(self->fd) || continued)
    {
        forget_picture(self);
        continued = 0;
    }
    return !is_in_background(self->fd) && takes_bytes(self->fd);
}

static void
terminal_show(Renderer *base, const RunProgress *run)
{
    TerminalRenderer *self = (TerminalRenderer *) base;
    const gint64 now = g_get_monotonic_time();

    if (run->state == RUN_RUNNING && now - self->drawn_us < DRAW_EVERY_US)
        return;
    rate_look(&self->rate, now / 1000, pace_embedded_chunks(run));
    if (!may_draw(self))
        return;

    /* The last column stays free, because clearing the rest of a full line takes its last
     * character on some terminals; the last row, because the cursor stands there. */
    const struct winsize size = terminal_size(self->fd);
    const Pace pace = pace_of_run(run, &self->rate);
    draw(
        self,
        frame_lines(
            run, &pace, size.ws_col - 1U, MAX(size.ws_row, 2U) - 1, g_get_real_time() / 1000),
        size.ws_col);
    self->drawn_us = now;
}

static void
terminal_note(Renderer *base, const char *text)
{
    TerminalRenderer *self = (TerminalRenderer *) base;
    g_autofree char *safe = text_safe(text);

    g_string_append_printf(self->notes, "note: %s\r\n", safe);
    if (may_draw(self))
        draw(self, self->lines, terminal_size(self->fd).ws_col);
}

static void
terminal_end(Renderer *base)
{
    TerminalRenderer *self = (TerminalRenderer *) base;

    if (self->notes->len > 0)
        renderer_write(self->fd, self->notes->str);
    sigaction(SIGCONT, &self->former, NULL);
    forget_picture(self);
    g_string_free(self->notes, TRUE);
    g_free(self);
}

Renderer *
terminal_renderer_new(int fd)
{
    const struct sigaction action = {.sa_handler = on_continue, .sa_flags = SA_RESTART};
    TerminalRenderer *self = g_new0(TerminalRenderer, 1);

    self->base = (Renderer){terminal_show, terminal_note, terminal_end};
    self->fd = fd;
    self->colour = is_colour_wanted();
    self->wraps_again = is_known_to_wrap_again();
    self->notes = g_string_new(NULL);
    sigaction(SIGCONT, &action, &self->former);
    return &self->base;
}
