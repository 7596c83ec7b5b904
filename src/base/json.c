#include "base/json.h"

const char *
json_text(const Json *object, const char *key)
{
    return json_string_value(json_object_get(object, key));
}
