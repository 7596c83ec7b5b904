/*
 * store_map.h - which table and columns of a store hold what.
 */
#pragma once

typedef enum
{
    DISTANCE_L2,     /* <->, the guide's application */
    DISTANCE_COSINE, /* <=> */
    DISTANCE_IP,     /* <#> */
} Distance;

/* Names as the user spells them, unquoted; borrowed for as long as the settings live. */
typedef struct
{
    const char *table; /* [schema.]table */
    const char *id;    /* gets a ULID; "" when the table makes its own key */
    const char *bot;
    const char *source;
    const char *text;
    const char *vector;
    Distance distance;
} StoreMap;
