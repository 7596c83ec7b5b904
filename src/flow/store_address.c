#include "flow/store_address.h"

#include "base/error.h"
#include "flow/stage_aws.h"

#include <string.h>

#define SCHEME "secret:"

/* The application's own, where a secret that RDS manages says nothing. */
#define USUAL_DATABASE "postgres"

bool
store_address_is_secret(const char *given)
{
    return g_str_has_prefix(given, SCHEME);
}

void
store_address_clear(StoreAddress *address)
{
    g_free(address->url);
    aws_secret_free(address->password);
    *address = (StoreAddress){0};
}

char *
store_address_password(void *address, GError **error)
{
    const StoreAddress *known = address;

    (void) error;
    return g_strdup(known->password);
}

/* --- libpq's keywords ------------------------------------------------------------------------ */

/* Keyword → value, the first that is set stays. */
static void
suggest(GHashTable *keywords, const char *keyword, const char *value)
{
    if (value != NULL && !g_hash_table_contains(keywords, keyword))
        g_hash_table_insert(keywords, g_strdup(keyword), g_strdup(value));
}

static bool
is_keyword(const char *text)
{
    return *text != '\0' && text[strspn(text, "abcdefghijklmnopqrstuvwxyz_")] == '\0';
}

static void
set_address_error(GError **error)
{
    g_set_error_literal(
        error, VF_ERROR, VF_ERROR_USAGE, "the address of the store is not understood");
    vf_error_hint(error, "it should be secret:NAME or secret:NAME?host=…&port=…");
}

/* One keyword=value behind the question mark.  User and password belong together. */
static bool
take_parameter(GHashTable *keywords, const char *parameter, GError **error)
{
    const char *equals = strchr(parameter, '=');
    g_autofree char *keyword =
        g_strndup(parameter, equals != NULL ? (gsize) (equals - parameter) : 0);
    g_autofree char *value = equals != NULL ? g_uri_unescape_string(equals + 1, NULL) : NULL;

    if (value == NULL || !is_keyword(keyword))
    {
        set_address_error(error);
        return false;
    }
    if (g_str_equal(keyword, "user") || g_str_equal(keyword, "password"))
    {
        g_set_error(
            error, VF_ERROR, VF_ERROR_USAGE, "the store's secret holds the %s already", keyword);
        return false;
    }
    suggest(keywords, keyword, value);
    return true;
}

static bool
take_parameters(GHashTable *keywords, const char *text, GError **error)
{
    g_auto(GStrv) parameters = g_strsplit(text, "&", -1);

    for (size_t i = 0; parameters[i] != NULL; i++)
        if (!take_parameter(keywords, parameters[i], error))
            return false;
    return true;
}

/* In the order of their names, so that the same address is always the same text. */
static char *
written(GHashTable *keywords)
{
    g_autoptr(GList) names = g_list_sort(g_hash_table_get_keys(keywords), (GCompareFunc) strcmp);
    GString *text = g_string_new(NULL);

    for (const GList *at = names; at != NULL; at = at->next)
    {
        g_autoptr(GString) value = g_string_new(g_hash_table_lookup(keywords, at->data));
        g_string_replace(value, "\\", "\\\\", 0);
        g_string_replace(value, "'", "\\'", 0);
        g_string_append_printf(
            text, "%s%s='%s'", text->len > 0 ? " " : "", (const char *) at->data, value->str);
    }
    return g_string_free(text, FALSE);
}

/* --- the secret ------------------------------------------------------------------------------ */

/* An ARN is asked for where it says that it is; NULL for a name. */
static char *
region_of(const char *id)
{
    g_auto(GStrv) parts = g_strsplit(id, ":", 5);

    if (g_strv_length(parts) < 5 || !g_str_equal(parts[0], "arn"))
        return NULL;
    return g_strdup(parts[3]);
}

static AwsLogin *
read_login(
    const Settings *settings, const char *id, const char *stage, Cancel *cancel, GError **error)
{
    g_autofree char *region = region_of(id);
    g_autoptr(AwsClient) client = stage_aws(settings, region, error);

    return client == NULL ? NULL : aws_secret_login(client, id, stage, cancel, error);
}

static bool
take_login(GHashTable *keywords, const AwsLogin *login, const char *id, GError **error)
{
    g_autofree char *port = login->port > 0 ? g_strdup_printf("%d", login->port) : NULL;

    suggest(keywords, "user", login->user);
    suggest(keywords, "host", login->host);
    suggest(keywords, "port", port);
    suggest(keywords, "dbname", login->database != NULL ? login->database : USUAL_DATABASE);
    if (g_hash_table_contains(keywords, "host"))
        return true;
    g_set_error(
        error, VF_ERROR, VF_ERROR_USAGE, "the secret \"%s\" does not say where the database is",
        id);
    vf_error_hint(error, "write secret:%s?host=…", id);
    return false;
}

bool
store_address_find(
    StoreAddress *address, const Settings *settings, const char *given, const char *stage,
    Cancel *cancel, GError **error)
{
    *address = (StoreAddress){0};
    if (!store_address_is_secret(given))
    {
        address->url = g_strdup(given);
        return true;
    }
    g_autoptr(GHashTable) keywords = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    const char *name = given + strlen(SCHEME);
    const size_t length = strcspn(name, "?");
    g_autofree char *id = g_strndup(name, length);

    if (length == 0)
    {
        set_address_error(error);
        return false;
    }
    if (name[length] == '?' && !take_parameters(keywords, name + length + 1, error))
        return false;
    g_autoptr(AwsLogin) login = read_login(settings, id, stage, cancel, error);
    if (login == NULL || !take_login(keywords, login, id, error))
        return false;
    address->url = written(keywords);
    address->password = g_steal_pointer(&login->password);
    return true;
}
