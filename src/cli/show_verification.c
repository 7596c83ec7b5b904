#include "cli/show_verification.h"

#include "cli/text.h"

#include <stdio.h>
#include <string.h>

static bool
is_about(const Finding *finding, const BotVerdict *bot)
{
    return g_strcmp0(finding->bot, bot == NULL ? NULL : bot->bot) == 0;
}

/* The next finding of the same kind about another source; they share a line. */
static bool
says_the_same(const Finding *first, const Finding *other)
{
    return other->kind == first->kind && first->source != NULL && other->source != NULL &&
           g_strcmp0(first->bot, other->bot) == 0;
}

static guint
count_same(const GPtrArray *findings, guint from)
{
    guint count = 1;
    while (from + count < findings->len &&
           says_the_same(findings->pdata[from], findings->pdata[from + count]))
        count++;
    return count;
}

static char *
what_was_found(const Finding *finding, guint same)
{
    g_autofree char *more = same == 1   ? g_strdup("")
                            : same == 2 ? g_strdup(" (and one more source)")
                                        : g_strdup_printf(" (and %u more sources)", same - 1);
    return g_strdup_printf(
        "%s%s%s%s", finding->source == NULL ? "" : finding->source,
        finding->source == NULL ? "" : ": ", finding->message, more);
}

static void
add_line(
    TextTable *table, const char *finding, const BotVerdict *bot, gint64 rows, const char *what)
{
    g_autofree char *count = text_count((double) rows);
    const char *cells[] = {
        finding, bot == NULL ? "" : bot->bot, bot == NULL ? "" : bot->title, count, what};
    text_table_add(table, cells);
}

/* Findings stand in the order of the bots, so those of one bot are neighbours. */
static guint
add_findings(
    TextTable *table, const Verification *verification, guint at, const BotVerdict *bot, bool all)
{
    const GPtrArray *findings = verification->findings;

    while (at < findings->len && is_about(findings->pdata[at], bot))
    {
        const Finding *finding = findings->pdata[at];
        const guint same = count_same(findings, at);
        at += same;
        if (!all && !finding_is_difference(finding->kind))
            continue;
        g_autofree char *what = what_was_found(finding, same);
        gint64 rows = 0;
        for (guint i = at - same; i < at; i++)
            rows += ((const Finding *) findings->pdata[i])->rows;
        add_line(table, finding_kind_name(finding->kind), bot, rows, what);
    }
    return at;
}

static void
show_findings(const Verification *verification, bool all)
{
    static const char *const TITLES[] = {"FOUND", "BOT", "TITLE", "ROWS", "WHAT", NULL};
    g_autoptr(TextTable) table = text_table_new(TITLES);
    guint at = 0;

    for (guint i = 0; i < verification->bots->len; i++)
    {
        const BotVerdict *bot = verification->bots->pdata[i];
        const guint after = add_findings(table, verification, at, bot, all);
        if (all && bot->differences == 0 && after == at)
            add_line(table, "ok", bot, bot->rows, "");
        at = after;
    }
    add_findings(table, verification, at, NULL, all);
    text_table_print(table);
    puts("");
}

static guint
count_different_bots(const Verification *verification)
{
    guint count = 0;
    for (guint i = 0; i < verification->bots->len; i++)
        count += ((const BotVerdict *) verification->bots->pdata[i])->differences > 0 ? 1 : 0;
    return count;
}

/* "1 bot", "1,200 rows".  Yours. */
static char *
counted(double number, const char *noun)
{
    g_autofree char *count = text_count(number);
    return g_strdup_printf("%s %s%s", count, noun, number == 1 ? "" : "s");
}

static void
show_verdict(const Verification *verification)
{
    const guint remarks = verification->findings->len - verification->differences;
    g_autofree char *bots = counted(verification->bots->len, "bot");
    g_autofree char *sources = counted(verification->sources, "source");
    g_autofree char *rows = counted((double) verification->rows, "row");
    g_autofree char *differences = counted(verification->differences, "difference");
    g_autofree char *different = counted(count_different_bots(verification), "bot");

    printf(
        "Counted %s, %s and %s of %s in %s%s%s: ", bots, sources, rows, verification->table,
        verification->store, verification->catalogue == NULL ? "" : " against ",
        verification->catalogue == NULL ? "" : verification->catalogue);
    if (verification->differences == 0)
        fputs(
            verification->catalogue == NULL ? "nothing is wrong with them"
                                            : "all is as it should be",
            stdout);
    else
        printf("%s in %s", differences, different);
    if (remarks > 0)
        printf(", %u remark%s (see --all)", remarks, remarks == 1 ? "" : "s");
    puts(".");
    if (!verification->whole)
        puts("Only some of the bots were looked at.");
    if (verification->catalogue == NULL)
        puts("Without a catalogue nobody knows what should be there: missing knowledge and rows "
             "without a bot were not looked for.");
}

void
show_verification(const Verification *verification, bool all)
{
    if (verification->differences > 0 || all)
        show_findings(verification, all);
    show_verdict(verification);
}
