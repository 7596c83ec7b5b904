/*
 * prices.h - what a million tokens cost, by list prices of a day.
 */
#pragma once

typedef struct
{
    double usd_per_million; /* negative when nobody told */
    const char *origin;     /* "list price of 2024-01-25", "--price" */
} Price;

/* The list price of a provider's model; nothing costs nothing on this machine. */
Price price_of_model(const char *provider, const char *model);
