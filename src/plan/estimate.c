#include "plan/estimate.h"

#include <math.h>
#include <string.h>

/* Text grows by overlap; measured at 1000/200. */
#define OVERLAP_GROWTH 1.15

/* Extraction, seconds for a million characters: a PDF of 619 pages took 1.3 s. */
#define EXTRACT_SECONDS_PER_MILLION 0.7

#define WORKER_START_SECONDS 0.1

/* A number that the user told may be a tenth off. */
#define LESS 0.9
#define MORE 1.1

static const struct
{
    const char *ending;
    DocumentForm form;
} ENDINGS[] = {
    {".txt", FORM_TEXT},   {".text", FORM_TEXT}, {".md", FORM_TEXT},
    {".csv", FORM_TEXT},   {".html", FORM_HTML}, {".htm", FORM_HTML},
    {".xhtml", FORM_HTML}, {".pdf", FORM_PDF},   {".docx", FORM_DOCX},
};

/* Characters for each byte of a document. */
static const Estimate PER_BYTE[FORM_COUNT + 1] = {
    [FORM_TEXT] = {0.33, 0.95, 1}, [FORM_HTML] = {0.1, 0.6, 0.95}, [FORM_PDF] = {0.005, 0.2, 1.5},
    [FORM_DOCX] = {0.02, 1.0, 8},  [FORM_COUNT] = {0.01, 0.5, 2},
};

/* A page whose size is not known. */
static const Estimate PAGE_CHARACTERS = {500, 5000, 100000};

static Estimate
scaled(Estimate estimate, double factor)
{
    return (Estimate){estimate.low * factor, estimate.expected * factor, estimate.high * factor};
}

Estimate
estimate_sum(Estimate a, Estimate b)
{
    return (Estimate){a.low + b.low, a.expected + b.expected, a.high + b.high};
}

static DocumentForm
form_of(const char *name, SourceKind kind)
{
    g_autofree char *lower = g_ascii_strdown(name, -1);

    for (size_t i = 0; i < G_N_ELEMENTS(ENDINGS); i++)
        if (g_str_has_suffix(lower, ENDINGS[i].ending))
            return ENDINGS[i].form;
    return kind == SOURCE_URL ? FORM_HTML : FORM_COUNT;
}

Estimate
estimate_characters(const char *name, SourceKind kind, gint64 bytes, const EstimateRules *rules)
{
    const DocumentForm form = form_of(name, kind);
    const double told = form == FORM_COUNT ? 0 : rules->characters_per_byte[form];

    if (bytes < 0)
        return PAGE_CHARACTERS;
    return scaled(
        told > 0 ? (Estimate){told * LESS, told, told * MORE} : PER_BYTE[form], (double) bytes);
}

double
estimate_repetition(int chunk_size, int chunk_overlap)
{
    return chunk_size / (double) MAX(chunk_size - chunk_overlap, 1);
}

static double
chunks_of(double characters, double step)
{
    return characters <= 0 ? 0 : ceil(characters / step);
}

static Estimate
estimate_chunks(Estimate characters, int size, int overlap)
{
    const double step = MAX(size - overlap, size / 8.0);
    const double smallest_step = size / estimate_repetition(size, overlap);
    return (Estimate){
        .low = chunks_of(characters.low, size),
        .expected = chunks_of(characters.expected * 1.05, step),
        .high = chunks_of(characters.high * 1.2, smallest_step),
    };
}

/* `repetition` is what a text without spaces may come to. */
static Estimate
estimate_tokens(Estimate characters, Estimate chunks, double repetition, const EstimateRules *rules)
{
    const double told = rules->characters_per_token;
    const double growth =
        rules->overlap_growth > 0 ? MAX(rules->overlap_growth, 1) : OVERLAP_GROWTH;
    const Estimate prefixes = scaled(chunks, rules->prefix_characters);
    return (Estimate){
        .low = (characters.low + prefixes.low) / (told > 0 ? told * MORE : 5),
        .expected = (characters.expected * growth + prefixes.expected) / (told > 0 ? told : 3.5),
        .high = (characters.high * MAX(growth * 1.1, repetition) + prefixes.high) /
                (told > 0 ? told * LESS : 1.4),
    };
}

/* A document is opened in a child of its own; of a bot, one after another. */
static double
seconds_of(
    double characters, double chunks, guint documents, double document_seconds,
    const EstimateRules *rules)
{
    const double calls = ceil(chunks / MAX(rules->max_texts, 1));
    const double calling = calls * rules->call_seconds / MAX(rules->calls_in_flight, 1);
    const double extracting =
        documents * document_seconds + characters / 1e6 * EXTRACT_SECONDS_PER_MILLION;
    return WORKER_START_SECONDS + MAX(calling, extracting);
}

static guint
documents_of(const PlannedBot *bot)
{
    guint documents = 0;
    for (guint i = 0; i < bot->sources->len; i++)
        if (((const PlannedSource *) bot->sources->pdata[i])->action != ACTION_BLOCKED)
            documents++;
    return documents;
}

void
estimate_bot(
    PlannedBot *bot, Estimate characters, int chunk_size, int chunk_overlap,
    const EstimateRules *rules)
{
    const guint documents = documents_of(bot);
    const Estimate each = rules->document_seconds;

    bot->chunks = estimate_chunks(characters, chunk_size, chunk_overlap);
    bot->tokens = estimate_tokens(
        characters, bot->chunks, estimate_repetition(chunk_size, chunk_overlap), rules);
    bot->usd = rules->usd_per_token < 0 ? (Estimate){-1, -1, -1}
                                        : scaled(bot->tokens, rules->usd_per_token);
    bot->seconds = (Estimate){
        seconds_of(characters.low, bot->chunks.low, documents, each.low, rules),
        seconds_of(characters.expected, bot->chunks.expected, documents, each.expected, rules),
        seconds_of(characters.high, bot->chunks.high, documents, each.high, rules),
    };
}

/* The provider's limits bound the whole run from below. */
static double
floor_seconds(double chunks, double tokens, const EstimateRules *rules)
{
    const double calls = ceil(chunks / MAX(rules->max_texts, 1));
    const double by_requests =
        rules->requests_per_minute > 0 ? 60 * calls / rules->requests_per_minute : 0;
    const double by_tokens =
        rules->tokens_per_minute > 0 ? 60 * tokens / rules->tokens_per_minute : 0;
    return MAX(by_requests, by_tokens);
}

void
estimate_plan(Plan *plan, const EstimateRules *rules)
{
    Estimate work = {0};
    Estimate longest = {0};

    for (guint i = 0; i < plan->bots->len; i++)
    {
        const PlannedBot *bot = plan->bots->pdata[i];
        if (bot->action != ACTION_EMBED)
            continue;
        plan->chunks = estimate_sum(plan->chunks, bot->chunks);
        plan->tokens = estimate_sum(plan->tokens, bot->tokens);
        work = estimate_sum(work, bot->seconds);
        longest.low = MAX(longest.low, bot->seconds.low);
        longest.expected = MAX(longest.expected, bot->seconds.expected);
        longest.high = MAX(longest.high, bot->seconds.high);
    }
    plan->usd = rules->usd_per_token < 0 ? (Estimate){-1, -1, -1}
                                         : scaled(plan->tokens, rules->usd_per_token);

    const double workers = MAX(rules->workers, 1);
    plan->seconds = (Estimate){
        MAX(MAX(work.low / workers, longest.low),
            floor_seconds(plan->chunks.low, plan->tokens.low, rules)),
        MAX(MAX(work.expected / workers, longest.expected),
            floor_seconds(plan->chunks.expected, plan->tokens.expected, rules)),
        MAX(MAX(work.high / workers, longest.high),
            floor_seconds(plan->chunks.high, plan->tokens.high, rules)),
    };
}
