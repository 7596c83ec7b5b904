/*
 * facts.h - where a run stands, in words; the same for the terminal, for lines and for status.
 *
 * Numbers only, nothing of the catalogue's text.
 */
#pragma once

#include "progress/pace.h"

/* "3 of 12 bots done", "1 failed", "34,567 of about 90,000 chunks", "312 chunks/s", "$0.12 of about
 * $0.31", "2 min 5 s left".  NULL-terminated, yours. */
char **facts_of_run(const RunProgress *run, const Pace *pace);

/* "1,200 of about 3,400 chunks", "attempt 2", "120 chunks/s", …: of a bot that is no failure. */
char **facts_of_bot(const RunProgress *run, const BotProgress *bot, gint64 now_ms);

/* "1,200", or "1,200 of about 3,400" when more are expected (negative: nobody knows).  Yours, here
 * and below. */
char *facts_chunks(gint64 chunks, double expected);

/* "$0.12 of about $0.31", "$0.12", "unknown". */
char *facts_usd(double usd, double expected);

/* "312", "3.1"; "" when unknown. */
char *facts_rate(double per_second);
