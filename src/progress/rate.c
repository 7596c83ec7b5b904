#include "progress/rate.h"

#define SHORTEST_MS 1000

static const RateLook *
look_back(const Rate *rate, guint steps)
{
    return &rate->looks[(rate->taken - 1 - steps) % RATE_LOOKS];
}

void
rate_look(Rate *rate, gint64 now_ms, gint64 count)
{
    if (rate->taken > 0)
        rate->grown += MAX(count - rate->seen, 0);
    rate->seen = count;
    if (rate->taken > 0 && now_ms - look_back(rate, 0)->at_ms < RATE_STEP_MS)
        return;
    rate->looks[rate->taken % RATE_LOOKS] = (RateLook){now_ms, rate->grown};
    rate->taken++;
}

double
rate_per_second(const Rate *rate, gint64 window_ms)
{
    if (rate->taken < 2)
        return -1;

    const RateLook *last = look_back(rate, 0);
    const RateLook *first = last;
    for (guint steps = 1; steps < MIN(rate->taken, RATE_LOOKS); steps++)
    {
        const RateLook *earlier = look_back(rate, steps);
        if (last->at_ms - earlier->at_ms > window_ms)
            break;
        first = earlier;
    }
    const gint64 ms = last->at_ms - first->at_ms;
    return ms < SHORTEST_MS ? -1 : 1000.0 * (double) (last->count - first->count) / (double) ms;
}
