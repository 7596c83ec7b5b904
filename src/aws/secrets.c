#include "aws/secrets.h"

#include "aws/keys_json.h"
#include "base/error.h"

#include <string.h>

/* A secret has 64 kB at most, which JSON may write six times as long. */
#define MAX_ANSWER_BYTES (1024 * 1024)

static char *
question(const char *id, const char *stage)
{
    g_autoptr(Json) request = json_pack("{ss}", "SecretId", id);

    if (stage != NULL)
        json_object_set_new(request, "VersionStage", json_string(stage));
    char *text = json_dumps(request, JSON_COMPACT);
    char *body = g_strdup(text);
    free(text);
    return body;
}

/* The whole answer, yours, of which nothing stays behind. */
static SecretJson *
ask(AwsClient *client, const char *id, const char *stage, Cancel *cancel, GError **error)
{
    g_autofree char *body = question(id, stage);
    const AwsCall call = {
        .service = AWS_SECRETS_MANAGER,
        .operation = "GetSecretValue",
        .body = body,
        .body_bytes = strlen(body),
        .max_bytes = MAX_ANSWER_BYTES,
    };
    g_auto(AwsAnswer) answer = {0};

    if (!aws_call(client, &call, &answer, cancel, error))
        return NULL;
    GString *text = answer.response->body;
    SecretJson *object = secret_json_read(text->str, text->len);
    explicit_bzero(text->str, text->len);
    if (object == NULL)
        g_set_error_literal(
            error, VF_ERROR, VF_ERROR_FAILED,
            "secretsmanager GetSecretValue: the answer is not one of AWS");
    return object;
}

static AwsSecret *
read_text(AwsClient *client, const char *id, const char *stage, Cancel *cancel, GError **error)
{
    g_autoptr(SecretJson) answer = ask(client, id, stage, cancel, error);
    if (answer == NULL)
        return NULL;
    const char *text = json_text(answer, "SecretString");
    if (text == NULL)
        g_set_error_literal(
            error, VF_ERROR, VF_ERROR_BAD_INPUT, "it holds bytes instead of a text");
    return g_strdup(text);
}

AwsSecret *
aws_secret_text(
    AwsClient *client, const char *id, const char *stage, Cancel *cancel, GError **error)
{
    AwsSecret *text = read_text(client, id, stage, cancel, error);
    if (text == NULL)
        g_prefix_error(error, "could not read the secret \"%s\": ", id);
    return text;
}

/* Some write the port as a text. */
static int
port_of(const Json *secret)
{
    const Json *value = json_object_get(secret, "port");
    const char *text = json_string_value(value);
    guint64 port = 0;

    if (text != NULL)
        g_ascii_string_to_unsigned(text, 10, 1, G_MAXUINT16, &port, NULL);
    else if (json_integer_value(value) > 0 && json_integer_value(value) <= G_MAXUINT16)
        port = (guint64) json_integer_value(value);
    return (int) port;
}

AwsLogin *
aws_secret_login(
    AwsClient *client, const char *id, const char *stage, Cancel *cancel, GError **error)
{
    g_autoptr(AwsSecret) text = aws_secret_text(client, id, stage, cancel, error);
    if (text == NULL)
        return NULL;
    g_autoptr(SecretJson) secret = secret_json_read(text, strlen(text));
    const char *user = json_text(secret, "username");
    const char *password = json_text(secret, "password");
    if (user == NULL || password == NULL)
    {
        g_set_error(
            error, VF_ERROR, VF_ERROR_BAD_INPUT,
            "the secret \"%s\" does not hold username and password of a database", id);
        return NULL;
    }

    AwsLogin *login = g_new0(AwsLogin, 1);
    login->user = g_strdup(user);
    login->password = g_strdup(password);
    login->host = g_strdup(json_text(secret, "host"));
    login->port = port_of(secret);
    login->database = g_strdup(json_text(secret, "dbname"));
    return login;
}

void
aws_login_free(AwsLogin *login)
{
    if (login == NULL)
        return;
    aws_secret_free(login->user);
    aws_secret_free(login->password);
    g_free(login->host);
    g_free(login->database);
    g_free(login);
}
