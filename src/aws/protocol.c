/* The calls of the services that speak json or query: requests in, values out. */
#include "aws/client.h"
#include "aws/sign.h"
#include "base/error.h"

#include <string.h>

/* An answer of status 200 that is not the service's. */
static void
set_foreign(const AwsCall *call, GError **error)
{
    g_set_error(
        error, VF_ERROR, VF_ERROR_FAILED, "%s %s: the answer is not one of AWS",
        aws_service_facts(call->service)->name, call->operation);
    vf_error_hint(error, "is a proxy in between, or the endpoint not AWS's?");
}

static bool
make_call(
    AwsClient *client, const AwsCall *call, AwsAnswer *answer, char *code, Cancel *cancel,
    GError **error)
{
    const bool ok = aws_call(client, call, answer, cancel, error);
    if (code != NULL)
        g_strlcpy(code, answer->code, sizeof answer->code);
    return ok;
}

/* --- json ------------------------------------------------------------------------- */

static Json *
read_object(const GString *body)
{
    if (body->len == 0)
        return json_object();
    g_autoptr(Json) object = json_loadb(body->str, body->len, 0, NULL);
    return json_is_object(object) ? g_steal_pointer(&object) : NULL;
}

static char *
write_object(const Json *request)
{
    char *text = request != NULL ? json_dumps(request, JSON_COMPACT) : NULL;
    char *copy = g_strdup(text != NULL ? text : "{}");

    free(text);
    return copy;
}

Json *
aws_json_call(
    AwsClient *client, AwsService service, const char *operation, Json *request, char *code,
    Cancel *cancel, GError **error)
{
    g_autofree char *body = write_object(request);
    const AwsCall call = {
        .service = service,
        .operation = operation,
        .body = body,
        .body_bytes = strlen(body),
    };
    g_auto(AwsAnswer) answer = {0};

    if (!make_call(client, &call, &answer, code, cancel, error))
        return NULL;
    Json *object = read_object(answer.response->body);
    if (object == NULL)
        set_foreign(&call, error);
    return object;
}

/* --- query ------------------------------------------------------------------------ */

static char *
write_form(AwsService service, const char *action, const char *const *parameters)
{
    GString *form = g_string_new(NULL);

    g_string_append_printf(
        form, "Action=%s&Version=%s", action, aws_service_facts(service)->target);
    for (size_t i = 0; parameters != NULL && parameters[i] != NULL; i += 2)
    {
        g_autofree char *name = aws_encode(parameters[i], false);
        g_autofree char *value = aws_encode(parameters[i + 1], false);
        g_string_append_printf(form, "&%s=%s", name, value);
    }
    return g_string_free(form, FALSE);
}

static AwsReply *
read_reply(const GString *body, const char *action)
{
    g_autoptr(AwsReply) reply = aws_reply_parse(body->str, body->len, NULL);
    g_autofree char *name = g_strconcat(action, "Response", NULL);

    if (reply == NULL || strcmp(aws_reply_name(reply), name) != 0)
        return NULL;
    return g_steal_pointer(&reply);
}

AwsReply *
aws_query_call(
    AwsClient *client, AwsService service, const char *action, const char *const *parameters,
    char *code, Cancel *cancel, GError **error)
{
    g_autofree char *body = write_form(service, action, parameters);
    const AwsCall call = {
        .service = service,
        .operation = action,
        .body = body,
        .body_bytes = strlen(body),
    };
    g_auto(AwsAnswer) answer = {0};

    if (!make_call(client, &call, &answer, code, cancel, error))
        return NULL;
    AwsReply *reply = read_reply(answer.response->body, action);
    if (reply == NULL)
        set_foreign(&call, error);
    return reply;
}
