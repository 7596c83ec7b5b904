#include "cli/show_plan.h"

#include "cli/text.h"

#include <stdio.h>

static void
show_bots(const Plan *plan)
{
    static const char *const TITLES[] = {"ACTION", "BOT",  "TITLE", "SOURCES",
                                         "CHUNKS", "COST", "WHY",   NULL};
    g_autoptr(Table) table = table_new(TITLES);

    for (guint i = 0; i < plan->bots->len; i++)
    {
        const PlannedBot *bot = plan->bots->pdata[i];
        const bool embed = bot->action == ACTION_EMBED;
        g_autofree char *sources = g_strdup_printf("%u", bot->sources->len);
        g_autofree char *chunks = text_count(embed ? bot->chunks.expected : (double) bot->rows);
        g_autofree char *usd = embed ? text_usd(bot->usd.expected) : g_strdup("");
        const char *cells[] = {
            action_name(bot->action), bot->id, bot->title, sources, chunks, usd, bot->reason};
        table_add(table, cells);
    }
    table_print(table);
}

static void
show_methods(const Plan *plan)
{
    static const char *const TITLES[] = {"METHOD", "TIME",  "COST", "STOP OF SERVICE",
                                         "RISK",   "NEEDS", NULL};
    g_autoptr(Table) table = table_new(TITLES);

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
        table_add(table, cells);
    }
    table_print(table);
}

static void
show_counts(const Plan *plan)
{
    const char *between = "";
    printf("\nIn all: ");
    for (int i = 0; i < ACTION_COUNT; i++)
    {
        const guint count = plan_count(plan, (Action) i);
        if (count == 0)
            continue;
        printf("%s%u %s", between, count, action_name((Action) i));
        between = ", ";
    }
    puts("");
}

static void
show_line(const char *name, char *text)
{
    printf("%-8s %s\n", name, text);
    g_free(text);
}

void
show_plan(const Plan *plan)
{
    printf("Plan %s: %s into %s\n", plan->id, plan->catalogue, plan->new_store);
    printf("Vectors: %s, texts cut by the splitter \"%s\"\n\n", plan->space, plan->splitter);
    show_bots(plan);
    show_counts(plan);
    show_line("chunks", text_estimate(plan->chunks, text_count));
    show_line("tokens", text_estimate(plan->tokens, text_count));
    show_line("cost", text_estimate(plan->usd, text_usd));
    printf("%-8s %s\n", "price", plan->price);
    show_line("time", text_estimate(plan->seconds, text_duration));
    puts("");
    show_methods(plan);
    if (plan->rehearsal)
        puts("\nThis is a rehearsal: hashed vectors find words, not meaning.  Use a real model for "
             "the store that people ask.");
}
