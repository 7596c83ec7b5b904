/*
 * pace.h - how fast a run goes, how much there is in all, and how long it still takes.
 *
 * Pure.  Every number is negative while it is not known.
 */
#pragma once

#include "model/run.h"
#include "progress/rate.h"

typedef struct
{
    double chunks_per_second;
    double expected_chunks; /* those that are there included */
    double seconds_left;    /* only while it runs */
} Pace;

/*
 * What the plan expected, corrected: if the bots that are done had a tenth more chunks than
 * expected, the others will, too.  A bot of which nothing was expected counts as a mean one.
 */
double pace_expected_chunks(const RunProgress *run);

/* Chunks that the run itself embedded, which is what its rate counts. */
gint64 pace_embedded_chunks(const RunProgress *run);

/* The pace of the run.  `rate` (of pace_embedded_chunks()) tells the last seconds; NULL, or as long
 * as it tells nothing: the average over all the time in which somebody worked. */
Pace pace_of_run(const RunProgress *run, const Rate *rate);

/* The pace of one bot, on average since its worker was started; `now_ms` since the epoch. */
Pace pace_of_bot(const BotProgress *bot, gint64 now_ms);
