#include "pg/environment.h"

#include "pg/session.h"

#include <string.h>

static void
add(GPtrArray *environment, const char *name, const char *value)
{
    if (value != NULL && *value != '\0')
        g_ptr_array_add(environment, g_strconcat(name, "=", value, NULL));
}

/* Of several hosts, the one that answered. */
static const char *
value_of(const Pg *pg, const PQconninfoOption *option)
{
    if (strcmp(option->keyword, "host") == 0)
        return PQhost(pg->conn);
    if (strcmp(option->keyword, "hostaddr") == 0)
        return option->val == NULL ? NULL : PQhostaddr(pg->conn);
    if (strcmp(option->keyword, "port") == 0)
        return PQport(pg->conn);
    return option->val;
}

char **
pg_environment(const Pg *pg)
{
    static const char *const OURS[] = {"PATH", "HOME", "TMPDIR", NULL};
    GPtrArray *environment = g_ptr_array_new();
    PQconninfoOption *options = PQconninfo(pg->conn);

    for (const PQconninfoOption *option = options; option != NULL && option->keyword != NULL;
         option++)
        if (option->envvar != NULL && strcmp(option->keyword, "service") != 0)
            add(environment, option->envvar, value_of(pg, option));
    PQconninfoFree(options);
    for (const char *const *name = OURS; *name != NULL; name++)
        add(environment, *name, g_getenv(*name));
    add(environment, "LC_ALL", "C.UTF-8");
    g_ptr_array_add(environment, NULL);
    return (char **) g_ptr_array_free(environment, FALSE);
}
