/*
 * ask.c - `vecferry ask`
 */
#include "flow/ask.h"

#include "base/error.h"
#include "base/json.h"
#include "cli/notes.h"
#include "cli/options.h"
#include "cli/text.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define DEFAULT_LIMIT 5
#define MAX_LIMIT 10000
#define INDENT 3

typedef struct
{
    char *bot;
    int limit;
    gboolean full;
    gboolean as_json;
    gboolean force;
} AskArguments;

/* --- for people ---------------------------------------------------------------------------- */

static guint
terminal_columns(void)
{
    struct winsize size;
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > INDENT + 10)
        return size.ws_col;
    return 80;
}

static void
show_start(const char *text)
{
    g_auto(GStrv) words = g_strsplit_set(text, " \t\r\n", -1);
    GString *line = g_string_new(NULL);
    for (size_t i = 0; words[i] != NULL; i++)
        if (*words[i] != '\0')
            g_string_append_printf(line, "%s%s", line->len == 0 ? "" : " ", words[i]);

    g_autofree char *joined = g_string_free(line, FALSE);
    g_autofree char *start = text_cut(joined, terminal_columns() - INDENT);
    printf("%*s%s\n", INDENT, "", start);
}

static void
show_whole(const char *text)
{
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    for (size_t i = 0; lines[i] != NULL; i++)
    {
        g_autofree char *safe = text_safe(lines[i]);
        printf("%*s%s\n", INDENT, "", safe);
    }
}

static void
show_answers(const Reply *reply, const AskArguments *arguments)
{
    for (guint i = 0; i < reply->answers->len; i++)
    {
        const Answer *answer = reply->answers->pdata[i];
        g_autofree char *source = text_safe(answer->source);
        g_autofree char *distance = isnan(answer->distance)
                                        ? g_strdup("no distance")
                                        : g_strdup_printf("%.4f", answer->distance);
        printf("%u. %s  %s\n", i + 1, distance, source);
        if (arguments->full)
            show_whole(answer->text);
        else
            show_start(answer->text);
        puts("");
    }
    g_autofree char *rows = text_count((double) reply->rows);
    g_autofree char *bot = text_safe(arguments->bot);
    printf(
        "The nearest %u of the %s chunks that bot %s has in %s.\n", reply->answers->len, rows, bot,
        reply->store);
}

/* --- for machines -------------------------------------------------------------------------- */

static Json *
answers_to_json(const GPtrArray *answers)
{
    Json *list = json_array();
    for (guint i = 0; i < answers->len; i++)
    {
        const Answer *answer = answers->pdata[i];
        g_autofree char *source = g_utf8_make_valid(answer->source, -1);
        g_autofree char *text = g_utf8_make_valid(answer->text, -1);
        json_array_append_new(
            list, json_pack(
                      "{s:i, s:o, s:s, s:s}", "rank", (int) i + 1, "distance",
                      isnan(answer->distance) ? json_null() : json_real(answer->distance), "source",
                      source, "text", text));
    }
    return list;
}

static void
print_json(const Reply *reply, const AskArguments *arguments, const char *question)
{
    g_autoptr(Json) json = json_pack(
        "{s:s, s:s, s:s, s:s, s:s?, s:I, s:I, s:i, s:o}", "bot", arguments->bot, "question",
        question, "store", reply->store, "space", reply->space, "rows_space", reply->rows_space,
        "rows", (json_int_t) reply->rows, "tokens", (json_int_t) reply->tokens, "limit",
        arguments->limit, "answers", answers_to_json(reply->answers));
    json_dumpf(json, stdout, JSON_INDENT(2));
    puts("");
}

/* --- the command --------------------------------------------------------------------------- */

static Settings *
parse(const Invocation *invocation, AskArguments *arguments, char **question, GError **error)
{
    const GOptionEntry own[] = {
        {.long_name = "bot",
         .short_name = 'b',
         .arg = G_OPTION_ARG_STRING,
         .arg_data = &arguments->bot,
         .description = "the bot whose knowledge is asked",
         .arg_description = "ID"},
        {.long_name = "limit",
         .short_name = 'n',
         .arg = G_OPTION_ARG_INT,
         .arg_data = &arguments->limit,
         .description = "chunks to show (default: 5; the application takes 20, or as the bot says)",
         .arg_description = "N"},
        {.long_name = "full",
         .arg = G_OPTION_ARG_NONE,
         .arg_data = &arguments->full,
         .description = "show the whole text of each chunk"},
        {.long_name = "force",
         .arg = G_OPTION_ARG_NONE,
         .arg_data = &arguments->force,
         .description = "ask even when the rows were made with another embedder"},
        {.long_name = "json",
         .arg = G_OPTION_ARG_NONE,
         .arg_data = &arguments->as_json,
         .description = "print the chunks as one JSON object"},
        {.long_name = NULL},
    };
    const OptionsInfo info = {
        .usage = "QUESTION",
        .summary = "Embeds a question, runs the application's own query and shows the nearest "
                   "chunks of the bot\nwith distance and source: whether the store answers, a "
                   "person sees at once.  Reads only.",
        .settings = SETTINGS_OF_ASK,
        .own = own,
    };
    g_auto(GStrv) rest = NULL;
    g_autoptr(Settings) settings = options_parse(invocation, &info, &rest, error);
    if (settings == NULL)
        return NULL;
    *question = g_strstrip(g_strjoinv(" ", rest));
    return g_steal_pointer(&settings);
}

static bool
check_arguments(const AskArguments *arguments, const char *question, GError **error)
{
    if (arguments->bot == NULL || *arguments->bot == '\0')
    {
        g_set_error(error, VF_ERROR, VF_ERROR_USAGE, "--bot is missing: whose knowledge is asked");
        vf_error_hint(error, "`vecferry verify --all` lists the bots of a store");
        return false;
    }
    if (*question == '\0')
        g_set_error(error, VF_ERROR, VF_ERROR_USAGE, "the question is missing");
    else if (!g_utf8_validate(question, -1, NULL))
        g_set_error(error, VF_ERROR, VF_ERROR_USAGE, "the question is not valid UTF-8");
    else if (arguments->limit < 1 || arguments->limit > MAX_LIMIT)
        g_set_error(error, VF_ERROR, VF_ERROR_USAGE, "--limit should be 1 to %d", MAX_LIMIT);
    else
        return true;
    return false;
}

static bool
ask(const Settings *settings, const AskArguments *arguments, const char *question, Cancel *cancel,
    GError **error)
{
    const AskOptions options = {
        .bot = arguments->bot,
        .question = question,
        .limit = arguments->limit,
        .force = arguments->force,
        .notes = &NOTES_TO_STDERR,
    };
    g_autoptr(Reply) reply = flow_ask(settings, &options, cancel, error);
    if (reply == NULL)
        return false;
    if (arguments->as_json)
        print_json(reply, arguments, question);
    else
        show_answers(reply, arguments);
    return true;
}

bool
command_ask(const Invocation *invocation, ExitStatus *status, GError **error)
{
    AskArguments arguments = {.limit = DEFAULT_LIMIT};
    g_autofree char *question = NULL;
    g_autoptr(Settings) settings = parse(invocation, &arguments, &question, error);
    g_autofree char *bot = arguments.bot;

    *status = STATUS_DONE;
    return settings != NULL && check_arguments(&arguments, question, error) &&
           ask(settings, &arguments, question, invocation->cancel, error);
}
