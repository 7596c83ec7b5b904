#include "progress/frame.h"

#include "base/text.h"
#include "progress/facts.h"

#define STATE_COLUMNS 9
#define MAX_TITLE_COLUMNS 40

/* Here there is no room for more than a bot's state and name. */
#define NARROW_COLUMNS 40

/* Whom a watcher wants to see first. */
static const BotState ORDER[] = {BOT_RUNNING, BOT_LAUNCHED, BOT_FAILED,
                                 BOT_SKIPPED, BOT_PENDING,  BOT_SUCCEEDED};

typedef struct
{
    const RunProgress *run;
    GPtrArray *lines;
    guint columns;
    gint64 now_ms;
} Frame;

static void
free_line(void *data)
{
    FrameLine *line = data;
    g_free(line->text);
    g_free(line);
}

static void
add_line(Frame *frame, Tone tone, const char *text)
{
    FrameLine *line = g_new0(FrameLine, 1);
    line->tone = tone;
    line->text = text_cut(text, frame->columns);
    g_ptr_array_add(frame->lines, line);
}

/* The facts in as many lines as they need, at most `rows`; what finds no room is left out. */
static GPtrArray *
wrap_facts(char *const *facts, guint columns, guint rows)
{
    GPtrArray *lines = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GString) line = g_string_new(NULL);

    for (; *facts != NULL; facts++)
    {
        const char *between = line->len == 0 ? "" : ", ";
        g_autofree char *longer = g_strconcat(line->str, between, *facts, NULL);
        if (line->len == 0 || text_columns(longer) <= columns)
        {
            g_string_assign(line, longer);
            continue;
        }
        if (lines->len + 1 == rows)
            break;
        g_ptr_array_add(lines, g_strdup(line->str));
        g_string_assign(line, *facts);
    }
    g_ptr_array_add(lines, g_strdup(line->str));
    return lines;
}

static Tone
tone_of(BotState state)
{
    if (state == BOT_FAILED || state == BOT_SKIPPED)
        return TONE_BAD;
    return state == BOT_PENDING || state == BOT_SUCCEEDED ? TONE_FAINT : TONE_PLAIN;
}

static char *
words_about(const Frame *frame, const BotProgress *bot)
{
    if (bot->reason != NULL)
        return bot->state == BOT_PENDING ? g_strconcat("tries again: ", bot->reason, NULL)
                                         : g_strdup(bot->reason);
    g_auto(GStrv) facts = facts_of_bot(frame->run, bot, frame->now_ms);
    return g_strjoinv(", ", facts);
}

static void
add_name_and_words(
    GString *line, const char *name, guint room, const Frame *frame, const BotProgress *bot)
{
    g_autofree char *cut = text_cut(name, room);
    g_autofree char *words = words_about(frame, bot);

    g_string_append_printf(line, "%s%*s  %s", cut, (int) (room - text_columns(cut)), "", words);
}

static void
add_bot(Frame *frame, const BotProgress *bot)
{
    const char *name = *bot->title == '\0' ? bot->bot : bot->title;
    g_autoptr(GString) line = g_string_new(NULL);

    g_string_printf(line, "%-*s  ", STATE_COLUMNS, bot_state_name(bot->state));
    if (frame->columns < NARROW_COLUMNS)
        g_string_append(line, name);
    else
        add_name_and_words(line, name, MIN(frame->columns / 3, MAX_TITLE_COLUMNS), frame, bot);
    add_line(frame, tone_of(bot->state), line->str);
}

/* So many bots, the most interesting ones. */
static void
add_bots(Frame *frame, guint room)
{
    for (size_t rank = 0; rank < G_N_ELEMENTS(ORDER); rank++)
        for (guint i = 0; i < frame->run->bots->len && room > 0; i++)
        {
            const BotProgress *bot = frame->run->bots->pdata[i];
            if (bot->state != ORDER[rank])
                continue;
            add_bot(frame, bot);
            room--;
        }
}

static void
add_bots_and_rest(Frame *frame, guint room)
{
    const guint all = frame->run->bots->len;
    const guint shown = all <= room ? all : MAX(room, 1) - 1;

    add_bots(frame, shown);
    if (shown == all || room == 0)
        return;
    g_autofree char *rest = text_count(all - shown);
    g_autofree char *line = g_strdup_printf("… and %s %s", rest, shown == 0 ? "bots" : "more");
    add_line(frame, TONE_FAINT, line);
}

static void
add_heading(Frame *frame)
{
    const RunProgress *run = frame->run;
    g_autofree char *line = g_strdup_printf(
        "Run %s (%s) into %s: %s", run->id, run->kind, run->store, run_state_name(run->state));
    add_line(frame, TONE_STRONG, line);
}

GPtrArray *
frame_lines(const RunProgress *run, const Pace *pace, guint columns, guint rows, gint64 now_ms)
{
    Frame frame = {run, g_ptr_array_new_with_free_func(free_line), columns, now_ms};
    g_auto(GStrv) facts = facts_of_run(run, pace);
    g_autoptr(GPtrArray) summary = wrap_facts(facts, columns, MAX(rows, 1));
    guint room = rows > summary->len ? rows - summary->len : 0;

    if (room > 0)
    {
        add_heading(&frame);
        room--;
    }
    if (run->state == RUN_RUNNING)
        add_bots_and_rest(&frame, room);
    for (guint i = 0; i < summary->len; i++)
        add_line(&frame, TONE_PLAIN, summary->pdata[i]);
    return frame.lines;
}
