/*
 * json.h - jansson with owners: `g_autoptr(Json) item = …` ends with its block.
 */
#pragma once

#include <glib.h>
#include <jansson.h>

typedef json_t Json;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Json, json_decref)

/* The string, or NULL when it is absent or something else.  Borrowed. */
const char *json_text(const Json *object, const char *key);
