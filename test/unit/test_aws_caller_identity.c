#include "aws/caller_identity.h"
#include "scripted_aws.h"

static void
test_the_caller_has_account_and_name(void)
{
    static const Step STEPS[] = {
        {"200 OK", NULL,
         "<GetCallerIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">"
         "<GetCallerIdentityResult><Arn>arn:aws:iam::123456789012:user/me</Arn>"
         "<UserId>AIDA</UserId><Account>123456789012</Account></GetCallerIdentityResult>"
         "</GetCallerIdentityResponse>",
         false}};
    g_auto(Stage) stage;
    OPEN(stage, STEPS);
    g_autoptr(GError) error = NULL;

    g_autoptr(AwsCaller) caller = aws_caller_identity(stage.client, NULL, &error);
    g_assert_no_error(error);
    g_assert_cmpstr(caller->account, ==, "123456789012");
    g_assert_cmpstr(caller->arn, ==, "arn:aws:iam::123456789012:user/me");
    g_assert_cmpstr(
        served(stage.server, 0)->body->str, ==, "Action=GetCallerIdentity&Version=2011-06-15");
    g_assert_true(says(
        served(stage.server, 0), "Authorization: AWS4-HMAC-SHA256 Credential=AKID/"
                                 "20260921/eu-central-1/sts/aws4_request"));
}

static void
test_an_answer_without_a_name_is_none(void)
{
    static const Step STEPS[] = {
        {"200 OK", NULL,
         "<GetCallerIdentityResponse><GetCallerIdentityResult><Account>1</Account>"
         "</GetCallerIdentityResult></GetCallerIdentityResponse>",
         false},
        {"200 OK", NULL, "<GetCallerIdentityResponse/>", false}};
    g_auto(Stage) stage;
    OPEN(stage, STEPS);

    for (guint i = 0; i < G_N_ELEMENTS(STEPS); i++)
    {
        g_autoptr(GError) error = NULL;
        g_assert_null(aws_caller_identity(stage.client, NULL, &error));
        g_assert_error(error, VF_ERROR, VF_ERROR_FAILED);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    forget_the_machine();
    g_test_add_func(
        "/aws-caller-identity/the caller has account and name",
        test_the_caller_has_account_and_name);
    g_test_add_func(
        "/aws-caller-identity/an answer without a name is none",
        test_an_answer_without_a_name_is_none);
    return g_test_run();
}
