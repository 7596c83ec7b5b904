#include "plan/prices.h"

#include <glib.h>

/* US dollars for a million tokens, from the providers' own price pages. */
static const struct
{
    const char *model;
    double usd_per_million;
    const char *origin;
} LIST[] = {
    {"text-embedding-3-small", 0.02, "OpenAI's list price of 2024-01-25"},
    {"text-embedding-3-large", 0.13, "OpenAI's list price of 2024-01-25"},
    {"text-embedding-ada-002", 0.10, "OpenAI's list price of 2023-06-13"},
};

Price
price_of_model(const char *provider, const char *model)
{
    if (g_strcmp0(provider, "hashing") == 0)
        return (Price){0, "nothing: it runs on this machine"};
    for (gsize i = 0; i < G_N_ELEMENTS(LIST); i++)
        if (g_strcmp0(LIST[i].model, model) == 0)
            return (Price){LIST[i].usd_per_million, LIST[i].origin};
    return (Price){-1, "not known; give --price"};
}
