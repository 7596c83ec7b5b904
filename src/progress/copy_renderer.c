#include "progress/copy_renderer.h"

#include "base/text.h"
#include "progress/facts.h"
#include "progress/rate.h"
#include "progress/renderer.h"

#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define LINE_EVERY_US (5 * G_USEC_PER_SEC)
#define DRAW_EVERY_US (G_USEC_PER_SEC / 5)

/* How far back a rate looks, and how many tables a picture shows at most. */
#define RATE_WINDOW_MS 20000
#define MOST_TABLES 12

#define USUAL_COLUMNS 80

/* From where the cursor stands, everything below is cleared. */
#define CLEAR_BELOW "\033[J"

struct CopyRenderer
{
    int fd;
    bool in_place;     /* a terminal that moves its cursor */
    guint drawn;       /* lines of the picture on the terminal */
    gint64 shown_us;   /* the last time */
    Rate rate;         /* of all bytes */
    GHashTable *rates; /* by table, of Rate */
    GHashTable *told;  /* tables of which a line says that they are done */
    GString *notes;    /* that wait to be drawn */
    CopyPhase phase;
};

static char *
megabytes(gint64 bytes)
{
    g_autofree char *number = text_count((double) bytes / 1e6);
    return g_strdup_printf("%s MB", number);
}

/* By what is left of the weight on disk and how long the rest took. */
static char *
time_left(const TableProgress *table, const Rate *rate)
{
    const double per_second = rate_per_second(rate, RATE_WINDOW_MS);
    const gint64 left = table->weight - table->weight_done;

    if (per_second <= 0 || table->weight == 0 || left <= 0)
        return g_strdup("");
    g_autofree char *time = text_duration((double) left / per_second);
    return g_strdup_printf(", about %s left", time);
}

/* "1,200 rows, 12 MB, 4 MB/s, 3 of 9 parts, about 5 s left". */
static char *
facts_of_table(const TableProgress *table, const Rate *rate)
{
    const double per_second = rate_per_second(rate, RATE_WINDOW_MS);
    g_autofree char *rows = text_count((double) table->rows);
    g_autofree char *bytes = megabytes(table->bytes);
    g_autofree char *speed = per_second < 0 ? NULL : facts_rate(per_second / 1e6);
    g_autofree char *left = time_left(table, rate);

    return g_strdup_printf(
        "%s %s, %s%s%s%s, %u of %u %s%s", rows, table->rows == 1 ? "row" : "rows", bytes,
        speed == NULL ? "" : ", ", speed == NULL ? "" : speed, speed == NULL ? "" : " MB/s",
        table->parts_done, table->parts, table->parts == 1 ? "part" : "parts", left);
}

static Rate *
rate_of(CopyRenderer *renderer, const char *table)
{
    Rate *rate = g_hash_table_lookup(renderer->rates, table);
    if (rate != NULL)
        return rate;
    rate = g_new0(Rate, 1);
    g_hash_table_insert(renderer->rates, g_strdup(table), rate);
    return rate;
}

static void
look(CopyRenderer *renderer, const CopyProgress *copy, gint64 now_us)
{
    const TableProgress total = copy_progress_total(copy);

    rate_look(&renderer->rate, now_us / 1000, total.bytes);
    for (guint i = 0; i < copy->tables->len; i++)
    {
        const TableProgress *table = copy->tables->pdata[i];
        if (table->started_ms != 0 && table->ended_ms == 0)
            rate_look(rate_of(renderer, table->table), now_us / 1000, table->bytes);
    }
}

static void
add_line(GString *text, const char *name, const char *facts, guint columns)
{
    g_autofree char *whole = g_strdup_printf("%s: %s", name, facts);
    g_autofree char *line = columns == 0 ? text_safe(whole) : text_cut(whole, columns);
    g_string_append_printf(text, "%s\n", line);
}

static void
add_table(CopyRenderer *renderer, GString *text, const TableProgress *table, guint columns)
{
    g_autofree char *facts = facts_of_table(table, rate_of(renderer, table->table));
    add_line(text, table->table, facts, columns);
}

static void
add_total(const CopyRenderer *renderer, GString *text, const CopyProgress *copy, guint columns)
{
    const TableProgress total = copy_progress_total(copy);
    g_autofree char *facts = facts_of_table(&total, &renderer->rate);

    if (copy->phase == COPY_LOOKING)
        add_line(text, "copy", "looking at both ends", columns);
    else if (copy->phase == COPY_FINISHING)
        add_line(text, "copy", "rows are in; keys, indexes, sequences, VACUUM", columns);
    else
        add_line(text, "all", facts, columns);
}

static bool
is_at_work(const TableProgress *table)
{
    return table->started_ms != 0 && table->ended_ms == 0;
}

/* "building index: loading tuples, 40 %". */
static char *
facts_of_index(const IndexProgress *index)
{
    if (index->phase == NULL)
        return g_strdup("being built");
    if (index->total <= 0)
        return g_strdup(index->phase);
    return g_strdup_printf(
        "%s, %.0f %%", index->phase, 100.0 * (double) index->done / (double) index->total);
}

static void
add_index(GString *text, const IndexProgress *index, guint columns)
{
    g_autofree char *facts = facts_of_index(index);
    add_line(text, index->index, facts, columns);
}

static bool
is_being_built(const IndexProgress *index)
{
    return index->started_ms != 0 && index->ended_ms == 0;
}

static void
add_indexes(GString *text, const CopyProgress *copy, guint columns)
{
    for (guint i = 0; i < copy->indexes->len && copy->phase == COPY_FINISHING; i++)
        if (is_being_built(copy->indexes->pdata[i]))
            add_index(text, copy->indexes->pdata[i], columns);
}

/* --- in place ------------------------------------------------------------------------------ */

static guint
columns_of(int fd)
{
    struct winsize size = {0};
    return ioctl(fd, TIOCGWINSZ, &size) != 0 || size.ws_col < 2 ? USUAL_COLUMNS - 1
                                                                : size.ws_col - 1U;
}

static guint
count_lines(const GString *text)
{
    guint lines = 0;
    for (const char *at = text->str; (at = strchr(at, '\n')) != NULL; at++)
        lines++;
    return lines;
}

static void
draw(CopyRenderer *renderer, const CopyProgress *copy)
{
    const guint columns = columns_of(renderer->fd);
    g_autoptr(GString) picture = g_string_new(NULL);
    g_autoptr(GString) bytes = g_string_new("\r");
    guint shown = 0;

    for (guint i = 0; i < copy->tables->len && copy->phase == COPY_MOVING; i++)
    {
        const TableProgress *table = copy->tables->pdata[i];
        if (is_at_work(table) && shown++ < MOST_TABLES)
            add_table(renderer, picture, table, columns);
    }
    add_indexes(picture, copy, columns);
    if (copy->phase != COPY_DONE)
        add_total(renderer, picture, copy, columns);
    if (renderer->drawn > 0)
        g_string_append_printf(bytes, "\033[%uA", renderer->drawn);
    g_string_append_printf(bytes, CLEAR_BELOW "%s%s", renderer->notes->str, picture->str);
    renderer_write(renderer->fd, bytes->str);
    g_string_truncate(renderer->notes, 0);
    renderer->drawn = count_lines(picture);
}

/* --- lines --------------------------------------------------------------------------------- */

static void
say_ended_tables(CopyRenderer *renderer, GString *text, const CopyProgress *copy)
{
    for (guint i = 0; i < copy->tables->len; i++)
    {
        const TableProgress *table = copy->tables->pdata[i];
        if (table->ended_ms == 0 || !g_hash_table_add(renderer->told, g_strdup(table->table)))
            continue;
        g_autofree char *rows = text_count((double) table->rows);
        g_autofree char *bytes = megabytes(table->bytes);
        g_autofree char *time = text_duration(table_progress_seconds(table));
        g_autofree char *facts = g_strdup_printf(
            "%s %s, %s in %s", rows, table->rows == 1 ? "row" : "rows", bytes, time);
        add_line(text, table->table, facts, 0);
    }
}

static void
say(CopyRenderer *renderer, const CopyProgress *copy, bool is_time)
{
    g_autoptr(GString) text = g_string_new(renderer->notes->str);

    say_ended_tables(renderer, text, copy);
    if (is_time && copy->phase != COPY_DONE)
    {
        add_total(renderer, text, copy, 0);
        add_indexes(text, copy, 0);
    }
    renderer_write(renderer->fd, text->str);
    g_string_truncate(renderer->notes, 0);
}

/* --- both ---------------------------------------------------------------------------------- */

CopyRenderer *
copy_renderer_new(int fd)
{
    const char *terminal = g_getenv("TERM");
    CopyRenderer *renderer = g_new0(CopyRenderer, 1);

    renderer->fd = fd;
    renderer->in_place =
        isatty(fd) && terminal != NULL && *terminal != '\0' && strcmp(terminal, "dumb") != 0;
    renderer->rates = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    renderer->told = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    renderer->notes = g_string_new(NULL);
    return renderer;
}

void
copy_renderer_show(CopyRenderer *renderer, const CopyProgress *copy)
{
    const gint64 now = g_get_monotonic_time();
    const gint64 every = renderer->in_place ? DRAW_EVERY_US : LINE_EVERY_US;
    const bool is_new = copy->phase != renderer->phase;
    const bool is_time = renderer->shown_us == 0 || is_new || now - renderer->shown_us >= every;

    look(renderer, copy, now);
    if (!renderer->in_place)
        say(renderer, copy, is_time);
    else if (is_time)
        draw(renderer, copy);
    renderer->phase = copy->phase;
    if (is_time)
        renderer->shown_us = now;
}

void
copy_renderer_note(CopyRenderer *renderer, const char *text)
{
    g_autofree char *safe = text_safe(text);
    g_string_append_printf(renderer->notes, "note: %s\n", safe);
}

void
copy_renderer_end(CopyRenderer *renderer)
{
    if (renderer == NULL)
        return;
    renderer_write(renderer->fd, renderer->notes->str);
    g_string_free(renderer->notes, TRUE);
    g_hash_table_unref(renderer->rates);
    g_hash_table_unref(renderer->told);
    g_free(renderer);
}
