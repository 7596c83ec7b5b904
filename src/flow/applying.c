#include "flow/applying.h"

#include "base/error.h"
#include "state/meter.h"

void
apply_note(const Apply *apply, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    g_autofree char *text = g_strdup_vprintf(format, args);
    va_end(args);
    g_autofree char *line = vf_error_one_line(text);
    apply->listener->note(apply->listener->data, line);
}

void
apply_tell(Apply *apply)
{
    apply->listener->progress(apply->listener->data, apply->run);
}

void
apply_read_meter(Apply *apply)
{
    const MeterTotals totals = meter_read(apply->meter);
    run_progress_set_spent(apply->run, totals.tokens, totals.usd);
}

bool
apply_write_bot(Apply *apply, const BotProgress *progress, GError **error)
{
    apply_read_meter(apply);
    if (!ledger_update(apply->ledger, progress, error))
        return false;
    apply_tell(apply);
    return true;
}

void
apply_clear(Apply *apply)
{
    launcher_free(apply->launcher);
    catalogue_free(apply->catalogue);
    store_close(apply->store);
    ledger_close(apply->ledger);
    plan_free(apply->plan);
    run_progress_free(apply->run);
    g_clear_pointer(&apply->jobs, g_array_unref);
    g_clear_error(&apply->stop);
    g_free(apply->meter);
    g_free(apply->settings_text);
}
