#include "progress/comparison_renderer.h"

#include "base/text.h"
#include "progress/facts.h"
#include "progress/rate.h"
#include "progress/renderer.h"

#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define LINE_EVERY_US (5 * G_USEC_PER_SEC)
#define DRAW_EVERY_US (G_USEC_PER_SEC / 5)
#define RATE_WINDOW_MS 20000
#define USUAL_COLUMNS 80

/* The cursor's line, from its beginning, is cleared. */
#define CLEAR_LINE "\r\033[K"

struct ComparisonRenderer
{
    int fd;
    bool in_place;   /* a terminal that moves its cursor */
    bool drawn;      /* a line stands on it */
    gint64 shown_us; /* the last time, or the beginning: short work needs no line */
    Rate rate;       /* of the bytes of both sides */
};

static double
percent(const Comparison *comparison, Side side)
{
    return comparison->bytes[side] == 0
               ? 100
               : 100.0 * (double) comparison->bytes_done[side] / (double) comparison->bytes[side];
}

static gint64
bytes_done(const Comparison *comparison)
{
    return comparison->bytes_done[SIDE_SOURCE] + comparison->bytes_done[SIDE_TARGET];
}

/* ", 120 MB/s, about 20 s left", as far as it is known. */
static char *
speed(const ComparisonRenderer *renderer, const Comparison *comparison)
{
    const double per_second = rate_per_second(&renderer->rate, RATE_WINDOW_MS);
    const gint64 left =
        comparison->bytes[SIDE_SOURCE] + comparison->bytes[SIDE_TARGET] - bytes_done(comparison);
    if (per_second <= 0)
        return g_strdup("");
    g_autofree char *rate = facts_rate(per_second / 1e6);
    g_autofree char *time = text_duration((double) MAX(left, 0) / per_second);
    return g_strdup_printf(", %s MB/s, about %s left", rate, time);
}

static char *
line_of(const ComparisonRenderer *renderer, const Comparison *comparison)
{
    if (comparison->phase == COMPARISON_LOOKING)
        return g_strdup("verify: looking at both sides");
    if (comparison->phase == COMPARISON_SEARCHING)
        return g_strdup_printf(
            "verify: looking for the rows that differ, %u of %u tables", comparison->searched,
            comparison->differing);

    g_autofree char *rows = text_count((double) comparison->rows_done[SIDE_SOURCE]);
    g_autofree char *facts = speed(renderer, comparison);
    return g_strdup_printf(
        "verify: %.0f %% of the source, %.0f %% of the target, %s rows%s",
        percent(comparison, SIDE_SOURCE), percent(comparison, SIDE_TARGET), rows, facts);
}

static guint
columns_of(int fd)
{
    struct winsize size = {0};
    return ioctl(fd, TIOCGWINSZ, &size) != 0 || size.ws_col < 2 ? USUAL_COLUMNS - 1
                                                                : size.ws_col - 1U;
}

static void
draw(ComparisonRenderer *renderer, const char *line)
{
    g_autofree char *cut = text_cut(line, columns_of(renderer->fd));
    g_autofree char *bytes = g_strdup_printf(CLEAR_LINE "%s", cut);
    renderer_write(renderer->fd, bytes);
    renderer->drawn = true;
}

static void
say(ComparisonRenderer *renderer, const char *line)
{
    g_autofree char *bytes = g_strdup_printf("%s%s\n", renderer->drawn ? CLEAR_LINE : "", line);
    renderer_write(renderer->fd, bytes);
    renderer->drawn = false;
}

ComparisonRenderer *
comparison_renderer_new(int fd)
{
    const char *terminal = g_getenv("TERM");
    ComparisonRenderer *renderer = g_new0(ComparisonRenderer, 1);

    renderer->fd = fd;
    renderer->in_place =
        isatty(fd) && terminal != NULL && *terminal != '\0' && strcmp(terminal, "dumb") != 0;
    renderer->shown_us = g_get_monotonic_time();
    return renderer;
}

void
comparison_renderer_show(ComparisonRenderer *renderer, const Comparison *comparison)
{
    const gint64 now = g_get_monotonic_time();
    const gint64 every = renderer->in_place ? DRAW_EVERY_US : LINE_EVERY_US;

    rate_look(&renderer->rate, now / 1000, bytes_done(comparison));
    if (comparison->phase == COMPARISON_DONE || now - renderer->shown_us < every)
        return;
    g_autofree char *line = line_of(renderer, comparison);
    if (renderer->in_place)
        draw(renderer, line);
    else
        say(renderer, line);
    renderer->shown_us = now;
}

void
comparison_renderer_note(ComparisonRenderer *renderer, const char *text)
{
    g_autofree char *safe = text_safe(text);
    g_autofree char *note = g_strdup_printf("note: %s", safe);
    say(renderer, note);
}

void
comparison_renderer_end(ComparisonRenderer *renderer)
{
    if (renderer == NULL)
        return;
    if (renderer->drawn)
        renderer_write(renderer->fd, CLEAR_LINE);
    g_free(renderer);
}
