#include "cli/show_plan.h"

#include "cli/text.h"

#include <stdio.h>

static void
show_bots(const Plan *plan, FILE *to)
{
    static const char *const TITLES[] = {"ACTION", "BOT",  "TITLE", "SOURCES",
                                         "CHUNKS", "COST", "WHY",   NULL};
    g_autoptr(TextTable) table = text_table_new(TITLES);

    for (guint i = 0; i < plan->bots->len; i++)
    {
        const PlannedBot *bot = plan->bots->pdata[i];
        const bool embed = bot->action == ACTION_EMBED;
        g_autofree char *sources = g_strdup_printf("%u", bot->sources->len);
        g_autofree char *chunks = text_count(embed ? bot->chunks.expected : (double) bot->rows);
        g_autofree char *usd = embed ? text_usd(bot->usd.expected) : g_strdup("");
        const char *cells[] = {
            action_name(bot->action), bot->id, bot->title, sources, chunks, usd, bot->reason};
        text_table_add(table, cells);
    }
    text_table_write(table, to);
}

static void
show_methods(const Plan *plan, FILE *to)
{
    static const char *const TITLES[] = {"METHOD", "TIME",  "COST", "STOP OF SERVICE",
                                         "RISK",   "NEEDS", NULL};
    g_autoptr(TextTable) table = text_table_new(TITLES);

    for (guint i = 0; i < plan->methods->len; i++)
    {
        const Method *method = &g_array_index(plan->methods, Method, i);
        g_autofree char *name = g_strdup_printf(
            "%s%s", method->name,
            method->recommended ? " (recommended)"
            : method->possible  ? ""
                                : " (not possible)");
        g_autofree char *time = text_estimate(method->seconds, text_duration);
        g_autofree char *usd = text_estimate(method->usd, text_usd);
        const char *cells[] = {name, time, usd, method->stop, method->risk, method->needs};
        text_table_add(table, cells);
    }
    text_table_write(table, to);
}

static void
show_counts(const Plan *plan, FILE *to)
{
    const char *between = "";
    fprintf(to, "\nIn all: ");
    for (int i = 0; i < ACTION_COUNT; i++)
    {
        const guint count = plan_count(plan, (Action) i);
        if (count == 0)
            continue;
        fprintf(to, "%s%u %s", between, count, action_name((Action) i));
        between = ", ";
    }
    fputs("\n", to);
}

static void
show_line(FILE *to, const char *name, char *text)
{
    fprintf(to, "%-8s %s\n", name, text);
    g_free(text);
}

void
show_plan(const Plan *plan, FILE *to)
{
    fprintf(to, "Plan %s: %s into %s\n", plan->id, plan->catalogue, plan->new_store);
    fprintf(to, "Vectors: %s, texts cut by the splitter \"%s\"\n\n", plan->space, plan->splitter);
    show_bots(plan, to);
    show_counts(plan, to);
    show_line(to, "chunks", text_estimate(plan->chunks, text_count));
    show_line(to, "tokens", text_estimate(plan->tokens, text_count));
    show_line(to, "cost", text_estimate(plan->usd, text_usd));
    fprintf(to, "%-8s %s\n", "price", plan->price);
    show_line(to, "time", text_estimate(plan->seconds, text_duration));
    fputs("\n", to);
    show_methods(plan, to);
    if (plan->asks_model)
        fprintf(
            to,
            "\nThe store's column takes vectors of %d dimensions.  Whether the model makes them, "
            "apply asks it first: a few tokens, once for the run.\n",
            plan->dimensions);
    if (plan->rehearsal)
        fputs(
            "\nThis is a rehearsal: hashed vectors find words, not meaning.  Use a real model for "
            "the store that people ask.\n",
            to);
}
