/*
 * meter.h - what a run spends at its provider, and how fast it may go.
 *
 * One meter belongs to a run and is shared by all its workers, which are processes:
 * it lives in a file.  When a call's turn has come, money is reserved for its worst case,
 * and the reservation is on disk before the call is made; afterwards it is settled with
 * what was billed.  What a killed worker had reserved counts as spent for good, because
 * nobody knows whether the provider did the work.  So the cap holds, killed or not.
 *
 * Calls are paced evenly (the generic cell rate algorithm, ITU-T I.371), and the tokens
 * of no minute are more than the limit: neither a provider that counts bursts nor one
 * that counts minutes is exceeded.  A throttled call sends all workers into one common
 * pause.
 *
 * One Meter serves all threads of a process.
 */
#pragma once

#include "base/cancel.h"

typedef struct
{
    double usd_per_token;       /* negative when the price is not known */
    double max_usd;             /* negative for no cap */
    gint64 requests_per_minute; /* 0 for no limit */
    gint64 tokens_per_minute;   /* 0 for no limit */
} MeterLimits;

typedef struct Meter Meter;

Meter *meter_open(const char *path, const MeterLimits *limits, GError **error);
void meter_free(Meter *meter);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Meter, meter_free)

/*
 * Waits for the call's turn and reserves its worst case.  VF_ERROR_DENIED when the cap does not
 * allow it: the run is over.  `ticket` is for meter_settle().
 */
bool meter_reserve(
    Meter *meter, gint64 expected_tokens, gint64 most_tokens, Cancel *cancel, gint64 *ticket,
    GError **error);

/*
 * The call's end: what was billed (0 when the provider refused it), and forgets the reservation.  A
 * power cut may take it back; then the worst case counts as spent.
 */
bool meter_settle(Meter *meter, gint64 ticket, gint64 tokens, GError **error);

/*
 * The provider throttled: nobody calls for that long, but ten minutes at most; -1 when it named no
 * time.  `pause_ms` gets how long the pause lasts; or NULL.
 */
bool meter_cool_down(Meter *meter, gint64 wish_ms, gint64 *pause_ms, GError **error);

/* A call went well: the next pause begins small again. */
bool meter_praise(Meter *meter, GError **error);

/* Limits that the provider told; used where the user set none.  -1 for silent. */
bool meter_hear_limits(
    Meter *meter, gint64 requests_per_minute, gint64 tokens_per_minute, GError **error);

/*
 * The cap is for what is spent from the beginning to the end of a period.  A period ends when all
 * work that was begun in it is done; the next begins with new work.  Who dies in between, or before
 * the end is written down, goes on in the same period.
 */
bool meter_begin_period(Meter *meter, GError **error);
bool meter_end_period(Meter *meter, GError **error);

/* What the model answered when it was asked for its dimensions; 0: it was not. */
bool meter_keep_dimensions(Meter *meter, int dimensions, GError **error);
bool meter_kept_dimensions(Meter *meter, int *dimensions, GError **error);

typedef struct
{
    gint64 tokens; /* settled */
    gint64 calls;  /* settled */
    double usd;    /* settled and reserved; negative when unpriced */
    double reserved_usd;
} MeterTotals;

bool meter_totals(Meter *meter, MeterTotals *totals, GError **error);

/* The same from a file, without opening it for writing; zero when it is not there. */
MeterTotals meter_read(const char *path);

/* At most this many tokens can be billed for a text: a token has at least one byte, and
 * a few mark begin and end. */
gint64 meter_most_tokens(const char *text);
