#include "model/verification_json.h"

static Json *
bots_to_json(const Verification *verification)
{
    Json *list = json_array();
    for (guint i = 0; i < verification->bots->len; i++)
    {
        const BotVerdict *bot = verification->bots->pdata[i];
        json_array_append_new(
            list, json_pack(
                      "{s:s, s:s, s:s, s:n, s:I, s:i, s:b}", "user", bot->user, "bot", bot->bot,
                      "title", bot->title, "rows_old", "rows_new", (json_int_t) bot->rows,
                      "sources", (int) bot->sources, "equal", bot->differences == 0));
    }
    return list;
}

static Json *
findings_to_json(const Verification *verification)
{
    Json *list = json_array();
    for (guint i = 0; i < verification->findings->len; i++)
    {
        const Finding *finding = verification->findings->pdata[i];
        json_array_append_new(
            list, json_pack(
                      "{s:s?, s:s?, s:s, s:b, s:I, s:s}", "bot", finding->bot, "source",
                      finding->source, "kind", finding_kind_name(finding->kind), "difference",
                      finding_is_difference(finding->kind), "rows", (json_int_t) finding->rows,
                      "message", finding->message));
    }
    return list;
}

static Json *
tables_to_json(const Verification *verification)
{
    return json_pack(
        "[{s:s, s:n, s:I, s:b, s:[]}]", "table", verification->table, "rows_old", "rows_new",
        (json_int_t) verification->rows, "equal", verification->differences == 0, "differences");
}

Json *
verification_to_json(const Verification *verification)
{
    return json_pack(
        "{s:b, s:s, s:s, s:s?, s:b, s:o, s:o, s:o, s:[]}", "equal", verification->differences == 0,
        "level", verification->level, "store", verification->store, "catalogue",
        verification->catalogue, "whole", verification->whole, "tables",
        tables_to_json(verification), "bots", bots_to_json(verification), "findings",
        findings_to_json(verification), "recall");
}
