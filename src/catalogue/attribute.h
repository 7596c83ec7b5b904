/*
 * attribute.h - typed looks at the attributes of a DynamoDB item.
 *
 * DynamoDB wraps every value in an object that names its type: `{"S": "text"}`,
 * `{"N": "12"}`, `{"M": {…}}`.  An attribute that is absent or NULL leaves *value as
 * it was, so put the default there first.  One of another type is VF_ERROR_BAD_INPUT,
 * and the message names it by its path: `Knowledge.filenames[2] is …`.
 */
#pragma once

#include "base/json.h"

#include <stdbool.h>

/* The attributes of an item, or of a map inside it. */
typedef struct
{
    const Json *members; /* NULL for a map that is absent: then every attribute is */
    const char *name;    /* of the map; NULL for the item itself */
} Attributes;

/* Borrowed from the item. */
bool attribute_text(
    const Attributes *attributes, const char *name, const char **value, GError **error);

/* A finite number. */
bool attribute_number(
    const Attributes *attributes, const char *name, double *value, GError **error);

bool attribute_flag(const Attributes *attributes, const char *name, bool *value, GError **error);

bool attribute_map(
    const Attributes *attributes, const char *name, Attributes *value, GError **error);

/* Appends copies of the texts of a list or of a set of strings, none of them empty; the array is
 * to free them. */
bool attribute_texts(
    const Attributes *attributes, const char *name, GPtrArray *values, GError **error);

/* True when it is there, NULL included, of whatever type. */
bool attribute_exists(const Attributes *attributes, const char *name);
