#include "plan/methods.h"

#define UNKNOWN                                                                                    \
    {                                                                                              \
        -1, -1, -1                                                                                 \
    }

void
compare_methods(Plan *plan)
{
    const Method methods[] = {
        {
            .name = "embed",
            .possible = true,
            .recommended = true,
            .usd = plan->usd,
            .seconds = plan->seconds,
            .stop = "none; a bot answers without knowledge until its turn",
            .risk = "pages may have changed, files may be gone; chunks are made anew",
            .needs = "the documents, and a provider",
        },
        {
            .name = "copy",
            .usd = UNKNOWN,
            .seconds = UNKNOWN,
            .stop = "writes during the copy are lost",
            .risk = "none for the rows: they stay as they are",
            .needs = "an old store to read from: none is configured",
        },
        {
            .name = "follow",
            .usd = UNKNOWN,
            .seconds = UNKNOWN,
            .stop = "seconds, at the cutover",
            .risk = "none for the rows: they stay as they are",
            .needs = "a live old store with logical replication: none is configured",
        },
    };
    g_array_append_vals(plan->methods, methods, G_N_ELEMENTS(methods));
}
