/*
 * lines.c - a run as a log: for files, pipes and terminals that cannot move their cursor.
 */
#include "base/text.h"
#include "progress/facts.h"
#include "progress/renderer.h"

#define LINE_EVERY_US (5 * G_USEC_PER_SEC)

typedef struct
{
    Renderer base;
    int fd;
    Rate rate;
    gint64 said_us; /* when the last summary was written; 0 never */
    GArray *states; /* of BotState, as they were last seen, in the run's order */
    bool ended;
} LinesRenderer;

static void
say_bot(GString *text, const RunProgress *run, const BotProgress *bot)
{
    g_auto(GStrv) facts = facts_of_bot(run, bot, bot->ended_ms);
    g_autofree char *numbers = g_strjoinv(", ", facts);
    g_autofree char *line = g_strdup_printf(
        "%s: %s (%s): %s", bot_state_name(bot->state), bot->title, bot->bot,
        bot->reason != NULL ? bot->reason : numbers);
    g_autofree char *safe = text_safe(line);

    g_string_append_printf(text, "%s\n", safe);
}

static void
say_run(GString *text, const RunProgress *run, const Rate *rate)
{
    const Pace pace = pace_of_run(run, rate);
    g_auto(GStrv) facts = facts_of_run(run, &pace);
    g_autofree char *line = g_strjoinv(", ", facts);

    g_string_append_printf(text, "%s\n", line);
}

/* A bot that had ended already when we first looked is no news. */
static void
say_ended_bots(LinesRenderer *self, GString *text, const RunProgress *run)
{
    const bool first = self->states->len != run->bots->len;

    g_array_set_size(self->states, run->bots->len);
    for (guint i = 0; i < run->bots->len; i++)
    {
        const BotProgress *bot = run->bots->pdata[i];
        BotState *seen = &g_array_index(self->states, BotState, i);
        if (!first && bot->state != *seen && bot_state_is_final(bot->state))
            say_bot(text, run, bot);
        *seen = bot->state;
    }
}

static void
lines_show(Renderer *base, const RunProgress *run)
{
    LinesRenderer *self = (LinesRenderer *) base;
    const gint64 now = g_get_monotonic_time();
    const bool ends = run->state != RUN_RUNNING && !self->ended;
    g_autoptr(GString) text = g_string_new(NULL);

    rate_look(&self->rate, now / 1000, pace_embedded_chunks(run));
    say_ended_bots(self, text, run);
    if (self->said_us == 0 || now - self->said_us >= LINE_EVERY_US || ends)
    {
        say_run(text, run, &self->rate);
        self->said_us = now;
    }
    self->ended = run->state != RUN_RUNNING;
    renderer_write(self->fd, text->str);
}

static void
lines_note(Renderer *base, const char *text)
{
    const LinesRenderer *self = (LinesRenderer *) base;
    g_autofree char *safe = text_safe(text);
    g_autofree char *line = g_strdup_printf("note: %s\n", safe);

    renderer_write(self->fd, line);
}

static void
lines_end(Renderer *base)
{
    LinesRenderer *self = (LinesRenderer *) base;
    g_array_unref(self->states);
    g_free(self);
}

Renderer *
lines_renderer_new(int fd)
{
    LinesRenderer *self = g_new0(LinesRenderer, 1);
    self->base = (Renderer){lines_show, lines_note, lines_end};
    self->fd = fd;
    self->states = g_array_new(FALSE, TRUE, sizeof(BotState));
    return &self->base;
}
