/*
 * verify_listener.h - who hears how far a comparison of two databases is.
 */
#pragma once

#include "model/comparison.h"

/* Called in the thread that asked for the comparison. */
typedef struct
{
    /* Something changed; borrowed, and changes again afterwards. */
    void (*progress)(void *data, const Comparison *comparison);

    /* A sentence for the person who watches. */
    void (*note)(void *data, const char *text);
    void *data;
} VerifyListener;
