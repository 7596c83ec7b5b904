#include "embed/openai_limits.h"

#include <math.h>
#include <string.h>

#define DAY_MS (24 * 60 * 60 * 1000LL)

typedef struct
{
    const char *name;
    double ms;
} Unit;

/* The longer name of two with the same beginning stands first. */
static const Unit UNITS[] = {
    {"ms", 1},      {"us", 0.001}, {"µs", 0.001}, {"ns", 0.000001},
    {"h", 3600000}, {"m", 60000},  {"s", 1000},
};

static const Unit *
unit_at(const char *text)
{
    for (size_t i = 0; i < G_N_ELEMENTS(UNITS); i++)
        if (g_str_has_prefix(text, UNITS[i].name))
            return &UNITS[i];
    return NULL;
}

gint64
openai_duration_ms(const char *text)
{
    double sum = 0;

    if (text == NULL || *text == '\0')
        return -1;
    while (*text != '\0')
    {
        if (!g_ascii_isdigit(*text))
            return -1;
        char *end = NULL;
        const double number = g_ascii_strtod(text, &end);
        const Unit *unit = unit_at(end);
        if (unit == NULL)
            return -1;
        sum += number * unit->ms;
        text = end + strlen(unit->name);
    }
    return (gint64) fmin(ceil(sum), (double) DAY_MS);
}

static gint64
count_in(const HttpResponse *response, const char *name)
{
    const char *text = http_header(response, name);
    guint64 count = 0;

    if (text == NULL || !g_ascii_string_to_unsigned(text, 10, 0, G_MAXINT64, &count, NULL))
        return -1;
    return (gint64) count;
}

/* When the allowance that ran out is whole again.  The one for requests also counts
 * when the server does not say what is left. */
static gint64
reset_ms(const HttpResponse *response)
{
    gint64 requests_ms = -1;
    gint64 tokens_ms = -1;

    if (count_in(response, "x-ratelimit-remaining-requests") <= 0)
        requests_ms = openai_duration_ms(http_header(response, "x-ratelimit-reset-requests"));
    if (count_in(response, "x-ratelimit-remaining-tokens") == 0)
        tokens_ms = openai_duration_ms(http_header(response, "x-ratelimit-reset-tokens"));
    return MAX(requests_ms, tokens_ms);
}

void
openai_read_limits(const HttpResponse *response, EmbedReply *reply)
{
    reply->requests_per_minute = count_in(response, "x-ratelimit-limit-requests");
    reply->tokens_per_minute = count_in(response, "x-ratelimit-limit-tokens");
    reply->retry_after_ms = http_retry_after_ms(response);
    if (reply->retry_after_ms < 0 && response->status == 429)
        reply->retry_after_ms = reset_ms(response);
}
