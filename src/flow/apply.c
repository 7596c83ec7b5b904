#include "flow/apply.h"

#include "base/error.h"
#include "base/fault.h"
#include "flow/agreement.h"
#include "flow/applying.h"
#include "flow/ask_model.h"
#include "flow/ask_store.h"
#include "flow/begin_run.h"
#include "flow/end_run.h"
#include "flow/make_plan.h"
#include "flow/stages.h"
#include "flow/work_through.h"

/* A resume of what was agreed asks nobody again. */
static bool
is_agreed(Apply *apply, const ApplyOptions *options, bool *agreed, GError **error)
{
    g_autofree char *now = agreement_hash(apply->settings, apply->plan);
    g_autoptr(GError) problem = NULL;
    g_autofree char *before = ledger_agreed(apply->ledger, &problem);

    if (problem != NULL)
    {
        g_propagate_error(error, g_steal_pointer(&problem));
        return false;
    }
    *agreed = options->assume_yes || apply->jobs->len == 0 || g_strcmp0(now, before) == 0 ||
              apply->listener->confirm(apply->listener->data, apply->plan);
    return true;
}

static bool
open_ledger(Apply *apply, GError **error)
{
    g_autofree char *folder = ledger_folder(settings_text(apply->settings, SETTING_STATE));

    apply->ledger = ledger_open(folder, apply->run->id, error);
    apply->meter = ledger_meter_path(folder, apply->run->id);
    return apply->ledger != NULL;
}

static bool
open_world(Apply *apply, GError **error)
{
    apply->policy = (RetryPolicy){
        .attempts = (int) MAX(settings_count(apply->settings, SETTING_ATTEMPTS), 1),
        .first_ms = 500,
        .longest_ms = 60000,
        .failed_too = true,
    };
    apply->settings_text = settings_to_text(apply->settings);
    apply->launcher = stage_launcher(error);
    apply->catalogue = apply->launcher == NULL ? NULL : stage_catalogue(apply->settings, error);
    return apply->catalogue != NULL && reach_store(apply, error) &&
           store_prepare(apply->store, error);
}

/* Before anything is paid for: whether the model makes what the store's column takes. */
static bool
check_model(Apply *apply, GError **error)
{
    const Plan *plan = apply->plan;
    int dimensions = 0;

    if (!plan->asks_model || apply->jobs->len == 0)
        return true;
    if (!ask_model(apply->settings, plan->run, apply->cancel, &dimensions, error))
        return false;
    if (dimensions == plan->dimensions)
        return true;
    g_set_error(
        error, VF_ERROR, VF_ERROR_MISMATCH,
        "the vector column takes vectors of %d dimensions, the model makes %d", plan->dimensions,
        dimensions);
    vf_error_hint(
        error, "choose a model of %d dimensions, or a table made for %d", plan->dimensions,
        dimensions);
    return false;
}

static Meter *
open_meter(Apply *apply, GError **error)
{
    MeterLimits limits = {0};

    g_autoptr(Embedder) embedder = stage_embedder(apply->settings, apply->plan->dimensions, error);
    if (embedder == NULL || !stage_meter_limits(apply->settings, &embedder->info, &limits, error))
        return NULL;
    apply->run->usd_per_token = limits.usd_per_token;
    return meter_open(apply->meter, &limits, error);
}

/* What may be spent, at what price: for new work after a finished run the whole cap. */
static bool
open_books(Apply *apply, GError **error)
{
    g_autoptr(Meter) meter = open_meter(apply, error);
    return meter != NULL && (apply->jobs->len == 0 || meter_begin_period(meter, error));
}

static bool
close_books(Apply *apply, GError **error)
{
    bool all = false;

    /* Who had nothing to do begins no period, and ends none; nor does a list shorter than the run.
     */
    if (apply->run->state != RUN_DONE || apply->jobs->len == 0)
        return true;
    if (!ledger_all_succeeded(apply->ledger, &all, error))
        return false;
    if (!all)
        return true;
    g_autoptr(Meter) meter = open_meter(apply, error);
    return meter != NULL && meter_end_period(meter, error);
}

static bool
carry_out(Apply *apply, const ApplyOptions *options, bool *agreed, GError **error)
{
    begin_jobs(apply);
    if (!open_ledger(apply, error) || !is_agreed(apply, options, agreed, error))
        return false;
    if (!*agreed)
        return true;
    fault_point(FAULT_AFTER_PLAN);

    g_autofree char *hash = agreement_hash(apply->settings, apply->plan);
    if (!open_books(apply, error) || !check_model(apply, error) || !open_world(apply, error) ||
        !ledger_begin(apply->ledger, apply->run, error) ||
        !ledger_agree(apply->ledger, hash, error))
        return false;
    apply_read_meter(apply);
    apply_tell(apply);
    if (!work_through(apply, error))
        return false;
    if (cancel_check(apply->cancel, error))
        return end_run(apply, error) && close_books(apply, error);
    apply->run->state = RUN_INTERRUPTED;
    ledger_end(apply->ledger, RUN_INTERRUPTED, NULL, NULL);
    apply_tell(apply);
    return false;
}

RunProgress *
flow_apply(
    const Settings *settings, const ApplyOptions *options, const ApplyListener *listener,
    Cancel *cancel, GError **error)
{
    g_auto(Apply) apply = {
        .settings = settings,
        .listener = listener,
        .notes = {listener->note, listener->data},
        .cancel = cancel,
    };
    bool agreed = false;

    apply.plan = flow_make_plan(settings, options->agreed, &apply.notes, cancel, error);
    if (apply.plan == NULL ||
        (options->agreed != NULL && !agreement_check(options->agreed, apply.plan, error)))
        return NULL;
    if (options->dry_run)
    {
        listener->confirm(listener->data, apply.plan);
        return NULL;
    }
    if (apply.plan->bots->len == 0 && settings_switch(settings, SETTING_ONLY_FAILED))
        apply_note(&apply, "no bot is left that did not succeed (--only-failed)");
    apply.run = begin_run(&apply, options->agreed);
    if (!carry_out(&apply, options, &agreed, error) || !agreed)
        return NULL;
    return g_steal_pointer(&apply.run);
}
