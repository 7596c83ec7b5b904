#include "base/fault.h"

#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *const NAMES[FAULT_COUNT] = {
    [FAULT_AFTER_PLAN] = "after-plan",
    [FAULT_AFTER_INTENT] = "after-intent",
    [FAULT_AFTER_LAUNCH] = "after-launch",
    [FAULT_BEFORE_LEDGER_DONE] = "before-ledger-done",
    [FAULT_AFTER_RESERVE] = "after-reserve",
    [FAULT_AFTER_EMBED] = "after-embed",
    [FAULT_AFTER_STAGE] = "after-stage",
    [FAULT_BEFORE_REPLACE] = "before-replace",
    [FAULT_INSIDE_REPLACE] = "inside-replace",
    [FAULT_AFTER_REPLACE] = "after-replace",
    [FAULT_INSIDE_INDEX] = "inside-index",
    [FAULT_BEFORE_PART] = "before-part",
    [FAULT_INSIDE_PART] = "inside-part",
    [FAULT_AFTER_PART] = "after-part",
    [FAULT_INSIDE_FORGET] = "inside-forget",
    [FAULT_AFTER_PARTS] = "after-parts",
    [FAULT_INSIDE_DEFINITIONS] = "inside-definitions",
    [FAULT_AFTER_DEFINITIONS] = "after-definitions",
    [FAULT_INSIDE_DEFINITION] = "inside-definition",
};

const char *
fault_name(FaultPoint point)
{
    return point < FAULT_COUNT ? NAMES[point] : NULL;
}

/* The pass at which this point kills; 0 when it does not. */
static long
deadly_pass(FaultPoint point)
{
    const char *wish = getenv("VECFERRY_FAULT");
    const size_t length = strlen(NAMES[point]);

    if (wish == NULL || strncmp(wish, NAMES[point], length) != 0)
        return 0;
    if (wish[length] == '\0')
        return 1;
    return wish[length] == ':' ? strtol(wish + length + 1, NULL, 10) : 0;
}

static void
strike(void)
{
    const char *hook = getenv("VECFERRY_FAULT_HOOK");

    if (hook == NULL || system(hook) != 0)
        kill(getpid(), SIGKILL);
}

void
fault_point(FaultPoint point)
{
    static atomic_long passes[FAULT_COUNT];

    if (atomic_fetch_add(&passes[point], 1) + 1 == deadly_pass(point))
        strike();
}
