/*
 * number_lists.h - takes the lists of numbers out of a JSON text.
 *
 * Nearly all of an answer with vectors are numbers, and a general parser makes an object
 * of each: it would take longer than a good network.  Here every list that holds
 * numbers and nothing else is read at once, and the list's number in the order of the
 * text takes its place, as `[7]`.  What remains is short, as valid as the whole was, and
 * for a general parser.
 */
#pragma once

#include "base/json.h"

typedef struct
{
    GString *text;  /* what remains */
    GArray *values; /* of float: all lists, one behind the other */
    GArray *ends;   /* of gsize: where each ends in `values` */
} NumberLists;

/* The bytes may be anything; what is not a list of JSON's numbers stays as it is. */
void number_lists_take(const char *bytes, gsize length, NumberLists *lists);
void number_lists_clear(NumberLists *lists);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(NumberLists, number_lists_clear)

/*
 * The numbers of a list that was taken out, borrowed; NULL when the value of the parsed rest is
 * not one.  A number beyond a float's range is infinite.
 */
const float *number_lists_get(const NumberLists *lists, const Json *value, gsize *count);
