/*
 * embed_bot.h - the life of one bot: its documents are read, cut, embedded, staged,
 * and replace its rows.
 *
 * One thread reads and cuts, several call the provider, the caller's thread writes to
 * the store; queues between them bound the memory.  What was paid for is staged batch
 * by batch, so whatever ends a worker, the next one pays for the rest only.
 */
#pragma once

#include "base/cancel.h"
#include "model/event.h"
#include "model/work_order.h"

/*
 * Carries out the order.  True when the bot's rows are replaced and every source is in; false with
 * the reason otherwise (a bot whose good sources were loaded in part is false, VF_ERROR_BAD_INPUT).
 * The final event was said in either case.
 */
bool flow_embed_bot(
    const WorkOrder *order, const WorkListener *listener, Cancel *cancel, GError **error);
