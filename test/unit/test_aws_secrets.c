#include "aws/secrets.h"
#include "scripted_aws.h"

#define SECRET_ANSWER(string)                                                                      \
    {                                                                                              \
        "200 OK", NULL, "{\"ARN\":\"arn\",\"Name\":\"db\",\"SecretString\":" string "}", false     \
    }

static void
test_a_text_is_read(void)
{
    static const Step STEPS[] = {SECRET_ANSWER("\"p\\u00e4ss w\\u00f6rd\"")};
    g_auto(Stage) stage;
    OPEN(stage, STEPS);
    g_autoptr(GError) error = NULL;

    g_autoptr(AwsSecret) text = aws_secret_text(stage.client, "db/\"main\"", NULL, NULL, &error);
    g_assert_no_error(error);
    g_assert_cmpstr(text, ==, "päss wörd");
    const ServedRequest *seen = served(stage.server, 0);
    g_assert_true(says(seen, "X-Amz-Target: secretsmanager.GetSecretValue\r\n"));
    g_assert_cmpstr(seen->body->str, ==, "{\"SecretId\":\"db/\\\"main\\\"\"}");
}

static void
test_a_stage_can_be_asked_for(void)
{
    static const Step STEPS[] = {SECRET_ANSWER("\"new\"")};
    g_auto(Stage) stage;
    OPEN(stage, STEPS);

    g_autoptr(AwsSecret) text = aws_secret_text(stage.client, "db", "AWSPENDING", NULL, NULL);
    g_assert_cmpstr(text, ==, "new");
    g_assert_cmpstr(
        served(stage.server, 0)->body->str, ==,
        "{\"SecretId\":\"db\",\"VersionStage\":\"AWSPENDING\"}");
}

static void
test_a_login_is_read(void)
{
    static const struct
    {
        Step step;
        const char *host;
        int port;
        const char *database;
    } CASES[] = {
        {SECRET_ANSWER("\"{\\\"username\\\":\\\"me\\\",\\\"password\\\":\\\"p/w\\\",\\\"host\\\":"
                       "\\\"h\\\",\\\"port\\\":5432,\\\"dbname\\\":\\\"d\\\",\\\"engine\\\":1}\""),
         "h", 5432, "d"},
        {SECRET_ANSWER("\"{\\\"username\\\":\\\"me\\\",\\\"password\\\":\\\"p/w\\\",\\\"port\\\":"
                       "\\\"5433\\\"}\""),
         NULL, 5433, NULL},
        {SECRET_ANSWER("\"{\\\"username\\\":\\\"me\\\",\\\"password\\\":\\\"p/w\\\",\\\"port\\\":"
                       "70000}\""),
         NULL, 0, NULL},
    };

    for (guint i = 0; i < G_N_ELEMENTS(CASES); i++)
    {
        g_auto(Stage) stage;
        stage_open(&stage, &CASES[i].step, 1);
        g_autoptr(GError) error = NULL;
        g_autoptr(AwsLogin) login = aws_secret_login(stage.client, "db", NULL, NULL, &error);
        g_assert_no_error(error);
        g_assert_cmpstr(login->user, ==, "me");
        g_assert_cmpstr(login->password, ==, "p/w");
        g_assert_cmpstr(login->host, ==, CASES[i].host);
        g_assert_cmpint(login->port, ==, CASES[i].port);
        g_assert_cmpstr(login->database, ==, CASES[i].database);
    }
}

/* The message says what is wrong, and never what is inside. */
static void
test_another_secret_is_refused(void)
{
    static const struct
    {
        Step step;
        VfError error;
        const char *message;
    } CASES[] = {
        {SECRET_ANSWER("\"hidden\""), VF_ERROR_BAD_INPUT,
         "the secret \"db\" does not hold username and password of a database"},
        {SECRET_ANSWER("\"{\\\"username\\\":\\\"hidden\\\"}\""), VF_ERROR_BAD_INPUT,
         "the secret \"db\" does not hold username and password of a database"},
        {{"200 OK", NULL, "{\"SecretBinary\":\"aGlkZGVu\"}", false},
         VF_ERROR_BAD_INPUT,
         "could not read the secret \"db\": it holds bytes instead of a text"},
        {{"200 OK", NULL, "<p>hidden</p>", false},
         VF_ERROR_FAILED,
         "could not read the secret \"db\": secretsmanager GetSecretValue: the answer is not one "
         "of "
         "AWS"},
        {{"400 Bad Request", NULL,
          "{\"__type\":\"ResourceNotFoundException\",\"Message\":\"Secrets Manager can't find "
          "it\"}",
          false},
         VF_ERROR_MISMATCH,
         "could not read the secret \"db\": secretsmanager GetSecretValue: "
         "ResourceNotFoundException: Secrets Manager can't find it"},
    };

    for (guint i = 0; i < G_N_ELEMENTS(CASES); i++)
    {
        g_auto(Stage) stage;
        stage_open(&stage, &CASES[i].step, 1);
        g_autoptr(GError) error = NULL;
        g_assert_null(aws_secret_login(stage.client, "db", NULL, NULL, &error));
        g_assert_error(error, VF_ERROR, (int) CASES[i].error);
        g_assert_cmpstr(error->message, ==, CASES[i].message);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    forget_the_machine();
    g_test_add_func("/aws-secrets/a text is read", test_a_text_is_read);
    g_test_add_func("/aws-secrets/a stage can be asked for", test_a_stage_can_be_asked_for);
    g_test_add_func("/aws-secrets/a login is read", test_a_login_is_read);
    g_test_add_func("/aws-secrets/another secret is refused", test_another_secret_is_refused);
    return g_test_run();
}
