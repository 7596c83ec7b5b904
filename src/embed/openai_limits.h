/*
 * openai_limits.h - what a provider's headers say about its limits.
 *
 *     retry-after, retry-after-ms                   when to come back
 *     x-ratelimit-limit-requests, -limit-tokens     per minute
 *     x-ratelimit-remaining-…, x-ratelimit-reset-…  "59", "6m0s"
 */
#pragma once

#include "embed/embedder.h"
#include "http/http.h"

/* Fills the three limits of a reply; -1 for what the headers do not say. */
void openai_read_limits(const HttpResponse *response, EmbedReply *reply);

/* "1s", "6m0s", "20ms", "1h0m0.5s" in milliseconds, rounded up; -1 for anything else. */
gint64 openai_duration_ms(const char *text);
