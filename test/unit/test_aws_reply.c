#include "aws/reply.h"
#include "base/error.h"

#include <string.h>

#define STACKS                                                                                     \
    "<?xml version=\"1.0\"?>\n"                                                                    \
    "<DescribeStacksResponse xmlns=\"http://cloudformation.amazonaws.com/doc/2010-05-15/\">\n"     \
    "  <DescribeStacksResult>\n"                                                                   \
    "    <Stacks>\n"                                                                               \
    "      <member><StackName>one</StackName><Outputs/></member>\n"                                \
    "      <member><StackName>a&amp;b &lt;two&gt;</StackName></member>\n"                          \
    "    </Stacks>\n"                                                                              \
    "  </DescribeStacksResult>\n"                                                                  \
    "</DescribeStacksResponse>"

static AwsReply *
parsed(const char *text)
{
    g_autoptr(GError) error = NULL;
    AwsReply *reply = aws_reply_parse(text, strlen(text), &error);
    g_assert_no_error(error);
    return reply;
}

static void
test_a_path_leads_to_a_text(void)
{
    g_autoptr(AwsReply) reply = parsed(STACKS);
    const char *path = "DescribeStacksResult/Stacks/member/StackName";

    g_assert_cmpstr(aws_reply_name(reply), ==, "DescribeStacksResponse");
    g_assert_cmpstr(aws_reply_text(reply, path), ==, "one");
    g_assert_cmpstr(aws_reply_text(aws_reply_at(reply, path), NULL), ==, "one");
}

static void
test_a_list_is_gone_through(void)
{
    g_autoptr(AwsReply) reply = parsed(STACKS);
    g_autoptr(GString) names = g_string_new(NULL);

    const AwsReply *stacks = aws_reply_at(reply, "DescribeStacksResult/Stacks");
    for (const AwsReply *at = aws_reply_first(stacks); at != NULL; at = aws_reply_next(at))
        g_string_append_printf(names, "%s;", aws_reply_text(at, "StackName"));
    g_assert_cmpstr(names->str, ==, "one;a&b <two>;");
}

/* An absent name, an empty element, and one that holds elements are three things. */
static void
test_what_is_absent_is_null(void)
{
    g_autoptr(AwsReply) reply = parsed(STACKS);
    const AwsReply *stack = aws_reply_at(reply, "DescribeStacksResult/Stacks/member");

    g_assert_null(aws_reply_text(stack, "StackId"));
    g_assert_null(aws_reply_text(stack, "StackName/Deeper"));
    g_assert_null(aws_reply_text(stack, "Stack"));
    g_assert_cmpstr(aws_reply_text(stack, "Outputs"), ==, "");
    g_assert_null(aws_reply_first(aws_reply_at(stack, "Outputs")));
    g_assert_cmpstr(aws_reply_text(reply, "DescribeStacksResult"), ==, "");
    g_assert_null(aws_reply_text(NULL, "StackName"));
    g_assert_null(aws_reply_first(NULL));
}

static void
test_long_texts_and_cdata_are_whole(void)
{
    g_autofree char *body = g_strnfill(100000, 'x');
    g_autofree char *text = g_strdup_printf("<r><Body>%s<![CDATA[<&]]> \n</Body></r>", body);
    g_autofree char *whole = g_strconcat(body, "<& \n", NULL);
    g_autoptr(AwsReply) reply = parsed(text);

    g_assert_cmpstr(aws_reply_text(reply, "Body"), ==, whole);
}

static void
test_what_is_broken_is_refused(void)
{
    static const char *const TEXTS[] = {
        "",        "x", "<r>", "<r><a></r>", "{}", "<!DOCTYPE r [<!ENTITY x \"y\">]><r>&x;</r>",
        "<r/><r/>"};

    for (guint i = 0; i < G_N_ELEMENTS(TEXTS); i++)
    {
        g_autoptr(GError) error = NULL;
        g_assert_null(aws_reply_parse(TEXTS[i], strlen(TEXTS[i]), &error));
        g_assert_error(error, VF_ERROR, VF_ERROR_BAD_INPUT);
    }
}

static void
test_too_many_elements_are_refused(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GString) text = g_string_new("<r>");

    for (int i = 0; i < 500001; i++)
        g_string_append(text, "<a/>");
    g_string_append(text, "</r>");
    g_assert_null(aws_reply_parse(text->str, text->len, &error));
    g_assert_error(error, VF_ERROR, VF_ERROR_BAD_INPUT);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/aws-reply/a path leads to a text", test_a_path_leads_to_a_text);
    g_test_add_func("/aws-reply/a list is gone through", test_a_list_is_gone_through);
    g_test_add_func("/aws-reply/what is absent is NULL", test_what_is_absent_is_null);
    g_test_add_func(
        "/aws-reply/long texts and CDATA are whole", test_long_texts_and_cdata_are_whole);
    g_test_add_func("/aws-reply/what is broken is refused", test_what_is_broken_is_refused);
    g_test_add_func("/aws-reply/too many elements are refused", test_too_many_elements_are_refused);
    return g_test_run();
}
